import { describe, expect, it } from 'vitest';
import * as errors from '../src/errors.ts';

const now = { head: { timelineId: 's.1', seq: 2, turnId: 'x' }, revision: 3 };

/** One of each class, with its code and, where the original has one, its message. */
const table: readonly (readonly [error: errors.SessionError, code: string, message: string])[] = [
  [new errors.SessionError('any'), '006', 'any'],
  [new errors.SessionNotFoundError('abc-123'), '007', "Session not found: 'abc-123'"],
  [
    new errors.SessionClosedError('abc-123'),
    '008',
    "Session is closed and cannot be modified: 'abc-123'",
  ],
  [new errors.SessionExpiredError('abc-123'), '009', "Session has expired: 'abc-123'"],
  [new errors.CheckpointNotFoundError('cp-456'), '010', "Checkpoint not found: 'cp-456'"],
  [
    new errors.SessionTransitionError('abc-123', 'active', 'active'),
    '011',
    "Invalid transition for session 'abc-123': 'active' → 'active'",
  ],
  [
    new errors.SessionCapacityError(
      "session 'abc-123' has reached the turn limit (1000)",
      'maxTurnsPerSession',
      1_000,
    ),
    '012',
    "Session capacity exceeded: session 'abc-123' has reached the turn limit (1000)",
  ],
  [
    new errors.SessionConflictError('head', 'abc-123', 'moved', now),
    '013',
    "Conflict in session 'abc-123': moved",
  ],
  [new errors.SessionInputError('turn.role', 'is missing'), '014', 'Invalid turn.role: is missing'],
  [
    new errors.SessionLimitError('label', 'label', 129, 128, 'characters'),
    '015',
    'Limit exceeded: label has 129 characters, the limit label is 128 characters',
  ],
  [
    new errors.SessionStoreUnavailableError('locked', 'busy'),
    '016',
    'Session store unavailable (locked): busy',
  ],
  [
    new errors.SessionCorruptDataError("timeline 'a.1' seq 7", 'no JSON'),
    '017',
    "Corrupt session data at timeline 'a.1' seq 7: no JSON",
  ],
  [
    new errors.SessionConfigError([{ path: 'backend', message: 'is wrong' }]),
    '018',
    'Invalid configuration: backend: is wrong',
  ],
  [new errors.SessionLeaseError('taken'), '019', 'taken'],
  [new errors.SessionUnsupportedError('not here'), '020', 'not here'],
];

describe('errors', () => {
  it('are all of them in the table', () => {
    const classes = Object.entries(errors).filter(([name]) => name.endsWith('Error'));
    const listed = new Set(table.map(([error]) => error.constructor));
    const unlisted = classes.filter(
      ([name, value]) => name !== 'isSessionError' && !listed.has(value),
    );
    expect(unlisted).toEqual([]);
  });

  it.each(table)('%s has its code, name and brand', (error, code, message) => {
    expect(error.code).toBe(`LEX_ERR_SES_${code}`);
    expect(error.name).toBe(error.constructor.name);
    expect(error).toBeInstanceOf(errors.SessionError);
    expect(errors.isSessionError(error)).toBe(true);
    expect(error.message).toBe(message);
  });

  it('have codes that no two share', () => {
    expect(new Set(table.map(([error]) => error.code)).size).toBe(table.length);
  });

  it('keep their cause', () => {
    const cause = new Error('deeper');
    expect(new errors.SessionInputError('a', 'b', { cause }).cause).toBe(cause);
    expect(new errors.SessionStoreUnavailableError('io', 'b', { cause }).cause).toBe(cause);
  });

  it('are known by their brand, also those of another installed copy', () => {
    class Foreign extends Error {}
    const foreign = new Foreign('x');
    expect(errors.isSessionError(foreign)).toBe(false);
    Object.defineProperty(foreign, Symbol.for('lexigram.ai-session.error'), { value: true });
    expect(errors.isSessionError(foreign)).toBe(true);
    expect(
      [null, undefined, {}, 'x', { code: 'LEX_ERR_SES_007' }].some(errors.isSessionError),
    ).toBe(false);
  });

  it.each(['x'.repeat(10_000), `${'x'.repeat(139)}😀😀`, 'a\nb\u001b[2J', '\ud800', '\u202e'])(
    'show any id in one short, well-formed line: %j',
    (id) => {
      for (const { message } of [
        new errors.SessionNotFoundError(id),
        new errors.CheckpointNotFoundError(id),
      ]) {
        expect(message.length).toBeLessThan(200);
        expect(message.isWellFormed()).toBe(true);
        expect(message).not.toMatch(/[\p{Cc}\u202e]/u);
      }
    },
  );
});
