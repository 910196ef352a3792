import type { SessionWrites, StoredSession, TurnRow } from '@lexigram/ai-session/store';
import { expect, it } from 'vitest';
import { isPlain } from '../../src/postgres/plain-turns.ts';
import { sessionColumns } from '../../src/postgres/rows.ts';

const separator = '|';

const start = Object.fromEntries(sessionColumns.map(([field]) => [field, 1]));
const before = { ...start, key: 1, sessionId: 's', seq: 4 } as unknown as StoredSession;
const turns = [5, 6].map(
  (seq) =>
    ({
      timelineId: 's.1',
      seq,
      turnId: `t${seq}`,
      body: '{}',
      at: 1,
      revision: seq,
      tokens: seq,
      cost: seq,
      origin: null,
      checkpoint: null,
    }) as TurnRow,
);
const end = { seq: 6, turnId: 't6', revision: 6, tokens: 6, cost: 6 };
const row = { ...before, ...end } as StoredSession;
const empty = { timelines: [], moved: [], cleared: [], variables: [], deleted: [], records: [] };
const writes = {
  ...empty,
  sessionId: 's',
  before,
  version: 1,
  row,
  now: 1,
  turns,
  unseen: [],
  journal: [],
  owner: undefined,
} as SessionWrites;

/** What turns may change of their session's row, whatever they are. */
const moving: ReadonlySet<string> = new Set([
  'lifetimeTurns',
  'lifetimeTokens',
  'lifetimeCost',
  'updatedAt',
  'expiresAt',
  'checkpoints',
  'checkpointsHeld',
  'checkpointFloor',
]);

it('turns at the end of a timeline, and nothing else, are plain', () => {
  expect(isPlain(writes, before, separator)).toBe(true);
});

it.each(sessionColumns.map(([field]) => field))('a change of %s', (field) => {
  const changed = { ...writes, row: { ...row, [field]: 'other' } } as SessionWrites;
  expect(isPlain(changed, before, separator)).toBe(moving.has(field));
});

it.each([...Object.keys(empty), 'journal'])('%s are more than plain turns', (kind) => {
  expect(isPlain({ ...writes, [kind]: [{}] } as SessionWrites, before, separator)).toBe(false);
});

it.each([
  { origin: { timelineId: 'o.1', seq: 1 } },
  { timelineId: 's.2' },
  { seq: 7 },
  { body: '"a|b"' },
  { turnId: 'a|b' },
])('a turn with %o is not plain', (more) => {
  const [first, last] = turns as [TurnRow, TurnRow];
  expect(isPlain({ ...writes, turns: [{ ...first, ...more }, last] }, before, separator)).toBe(
    false,
  );
});

it('neither are no turns, nor an owner that is counted for', () => {
  expect(isPlain({ ...writes, turns: [] }, before, separator)).toBe(false);
  const owner = { owner: { tenantId: null, userId: 'u' }, version: 1 };
  expect(isPlain({ ...writes, owner }, before, separator)).toBe(false);
});
