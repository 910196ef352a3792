import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createSessions } from '../../src/create-sessions.ts';
import { SessionInputError, SessionStoreUnavailableError } from '../../src/errors.ts';
import { InMemorySessionStore } from '../../src/store/memory.ts';
import { fingerprint } from '../../src/telemetry/fingerprint.ts';
import type { SessionLogger } from '../../src/telemetry/logger.ts';
import { canary, live } from './live.ts';

interface Line extends Readonly<Record<string, unknown>> {
  readonly level: string;
  readonly message: string;
}

function keep(): { readonly lines: Line[]; readonly logger: SessionLogger } {
  const lines: Line[] = [];
  const log = (level: string) => (fields: object, message: string) => {
    lines.push({ level, message, ...fields });
  };
  const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  return { lines, logger };
}

/** A store that fails in the named method, with a password in its error. */
function failing(method: 'commit' | 'create' | 'session', error: Error): InMemorySessionStore {
  const store = new InMemorySessionStore();
  Object.defineProperty(store, method, { value: () => Promise.reject(error) });
  return store;
}

describe('a logger', () => {
  it('hears of every call, without contents, users, ids or names of operations', async () => {
    const { lines, logger } = keep();
    await using sessions = await createSessions({}, { logger });
    const sessionId = await live(sessions);
    expect(lines.length).toBeGreaterThan(20);
    const text = lines.map((line) => JSON.stringify(line));
    expect(text.filter((line) => line.includes(canary))).toEqual([]);
    expect(text.filter((line) => line.includes(sessionId))).toEqual([]);
    const own = lines.filter(({ session }) => session === fingerprint(sessionId));
    expect(own.map(({ message }) => message)).toEqual(
      expect.arrayContaining([
        'session created',
        'session written',
        'session read',
        'session closed',
      ]),
    );
    expect(lines.map(({ message }) => message)).toEqual(
      expect.arrayContaining(['session forked', 'session deleted', 'session call repeated']),
    );
    expect(new Set(own.map(({ call }) => call))).toEqual(
      new Set([
        ...['create', 'add_turns', 'set_variables', 'set_metadata', 'checkpoint', 'restore'],
        ...['edit', 'undo', 'suspend', 'resume', 'close', 'keep_records'],
        ...['read_session', 'read_turns', 'read_timelines', 'read_record', 'read_find_turns'],
        ...['read_variables'],
      ]),
    );
  });

  it('has what began and ended at info, and where a cap refused', async () => {
    const { lines, logger } = keep();
    await using sessions = await createSessions({ maxTurnsPerSession: 2 }, { logger });
    const { sessionId } = await sessions.manager.create({ userId: 'ada' });
    for (const content of ['a', 'b'])
      await sessions.manager.addTurn(sessionId, { role: 'user', content });
    await sessions.manager.addTurn(sessionId, { role: 'user', content: 'c' }).catch(() => {});
    await sessions.manager.delete(sessionId);
    const told = lines.filter(({ level }) => level === 'info');
    expect(told.map(({ call, message }) => [call, message])).toEqual([
      ['create', 'session created'],
      ['add_turns', 'session closed'],
      ['add_turns', 'session call refused'],
      ['delete', 'session deleted'],
    ]);
    expect(told[2]).toMatchObject({ outcome: 'cap', cap: 'turns', max: 2 });
    expect(told[1]).toMatchObject({ revision: 3, turns: 1, session: fingerprint(sessionId) });
    expect(told[1]?.ms).toBeGreaterThan(0);
  });

  it('has what failed at error, by its code and without its message', async () => {
    const dsn = `postgres://user:${canary}@host/db`;
    const errors = [
      [
        new SessionStoreUnavailableError('unreachable', dsn, { cause: new Error(dsn) }),
        {
          error: 'LEX_ERR_SES_016',
          reason: 'unreachable',
        },
      ],
      [Object.assign(new Error(dsn), { code: 'ECONNREFUSED' }), { error: 'ECONNREFUSED' }],
      [Object.assign(new TypeError(dsn), { code: dsn }), { error: 'TypeError' }],
    ] as const;
    for (const [error, expected] of errors) {
      const { lines, logger } = keep();
      await using sessions = await createSessions({}, { store: failing('create', error), logger });
      await expect(sessions.manager.create({ userId: 'ada' })).rejects.toBe(error);
      const line = lines.find(({ level }) => level === 'error');
      expect(line).toMatchObject({ message: 'session store failed', call: 'create', ...expected });
      expect(JSON.stringify(lines)).not.toContain(canary);
    }
  });

  it('breaks no call, whatever it does', async () => {
    const calls: string[] = [];
    const broken = (level: string) => () => {
      calls.push(level);
      throw new Error(canary);
    };
    const logger = {
      debug: async () => {
        throw new Error(canary);
      },
      info: broken('info'),
      warn: broken('warn'),
      error: broken('error'),
    };
    await using sessions = await createSessions({}, { logger });
    await live(sessions);
    await setImmediate(); // for promises that nobody handles
    expect(calls).toContain('info');
  });

  it('is called as a method, as pino wants it', async () => {
    class Logger {
      readonly lines: string[] = [];
      debug(_: object, message: string): void {
        this.lines.push(message);
      }
      info = this.debug;
      warn = this.debug;
      error = this.debug;
    }
    const logger = new Logger();
    await using sessions = await createSessions({}, { logger });
    await sessions.manager.create({ userId: 'ada' });
    expect(logger.lines).toContain('session created');
  });

  it.each([null, 5, {}, { debug() {}, info() {}, warn() {} }, () => {}])(
    'is not %j',
    async (logger) => {
      const opening = createSessions({}, { logger: logger as never });
      await expect(opening).rejects.toThrow(SessionInputError);
      await expect(opening).rejects.toThrow('parts.logger');
    },
  );

  it('hears of the sweep’s failures', async () => {
    const { lines, logger } = keep();
    const store = new InMemorySessionStore();
    const error = new Error(canary);
    Object.defineProperty(store, 'due', { value: () => Promise.reject(error) });
    await using _ = await createSessions({ cleanupIntervalS: 0.01 }, { store, logger });
    await expect
      .poll(() => lines.map(({ message }) => message))
      .toContain('session background task failed');
    const line = lines.find(({ task }) => task === 'sweep');
    expect(line).toMatchObject({ level: 'error', error: 'Error' });
    expect(JSON.stringify(lines)).not.toContain(canary);
  });
});

describe('without a logger or OpenTelemetry', () => {
  it('nobody goes between the services and the store', async () => {
    const store = new InMemorySessionStore();
    const stacks: string[] = [];
    const create = store.create.bind(store);
    Object.defineProperty(store, 'create', {
      value: (given: Parameters<typeof create>[0]) => {
        stacks.push(new Error('here').stack ?? '');
        return create(given);
      },
    });
    Object.freeze(store);
    const none = { enabled: false };
    const silent = await createSessions({}, { store, telemetry: none });
    await silent.manager.create({ userId: 'ada' });
    const loud = await createSessions({}, { store, telemetry: none, logger: keep().logger });
    await loud.manager.create({ userId: 'ada' });
    expect(stacks.map((stack) => stack.includes('/telemetry/observe-store.ts'))).toEqual([
      false,
      true,
    ]);
    await silent.close();
    await loud.close();
  });
});

describe('fingerprint', () => {
  it('is the same for the same id, and not the id', () => {
    expect(fingerprint('abc')).toBe(fingerprint('abc'));
    expect(fingerprint('abc')).toMatch(/^[A-Za-z0-9_-]{16}$/);
    expect(fingerprint('abc')).not.toBe(fingerprint('abd'));
  });
});
