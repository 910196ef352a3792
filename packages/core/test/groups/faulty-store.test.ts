import {
  createSessions,
  InMemorySessionStore,
  LlmDirectedTurnManager,
  type SessionStore,
  SessionStoreUnavailableError,
  SwarmTurnManager,
  type TurnManager,
} from '@lexigram/ai-session';
import { describe, expect, it } from 'vitest';
import type { Commit } from '../../src/store/port.ts';
import { scripted, told } from './kit.ts';

/** A store whose n-th commit is not answered: before it is written, or after. */
function failingAt(store: SessionStore, n: number, written: boolean): SessionStore {
  let left = n;
  return new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      const call = value.bind(target) as (...args: unknown[]) => Promise<unknown>;
      if (key !== 'commit') return call;
      return async (...args: unknown[]) => {
        left -= 1;
        if (left !== 0) return call(...args);
        if (written) await call(...args);
        throw new SessionStoreUnavailableError('unreachable', 'the line is dead');
      };
    },
  });
}

/** A store that writes a step in two: first the turns, then where the run stands. */
function splitting(store: SessionStore): SessionStore {
  return new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      if (key !== 'commit') return value.bind(target);
      return async (sessionId: string, { append, records, ...rest }: Commit) => {
        if (append === undefined || records === undefined) {
          return target.commit(sessionId, {
            ...rest,
            ...(append === undefined ? {} : { append }),
            ...(records === undefined ? {} : { records }),
          });
        }
        const result = await target.commit(sessionId, { ...rest, append });
        if (result.refused !== undefined) return result;
        const written = await target.commit(sessionId, { records });
        return written.refused === undefined ? result : written;
      };
    },
  });
}

const toolCalls = [{ id: 'c', name: 'look', arguments: '{}' }];

/** Three agents of which one uses a tool, one asks a person, and one hands over. */
async function play(store: SessionStore, turnManager?: TurnManager) {
  const sessions = await createSessions({}, { store });
  const { sessionId } = await sessions.manager.create({ userId: 'ada' });
  const runs: string[] = [];
  const group = sessions.group({ turnManager, leaseMs: 3_600_000 });
  const say = (name: string) =>
    scripted(
      name,
      ({ key, step }, _message, history) => {
        runs.push(key);
        const mine = history.filter(({ agent }) => agent === name);
        if (name === 'ann' && mine.length === 0) return { content: 'I look.', toolCalls };
        if (name === 'bob' && mine.length === 0) return { ask: 'Which?', variables: { step } };
        if (name === 'cid')
          return { content: 'To ann.', handOver: 'ann', variables: { cid: step } };
        return `${name} ${step}`;
      },
      { callTool: (_call, { key }) => `looked ${key.split('.').slice(1).join('.')}` },
    );
  for (const name of ['ann', 'bob', 'cid']) group.addAgent(say(name));
  let input: string | undefined;
  let faults = 0;
  let result: Awaited<ReturnType<typeof group.run>> | undefined;
  for (let tries = 0; tries < 8; tries++) {
    try {
      const begun = (await sessions.store.record(sessionId, 'group', 'run')) !== null;
      result = begun
        ? await group.resume(sessionId, input)
        : await group.run(sessionId, 'Begin.', { maxSteps: 9 });
      if (result.reason !== 'waiting') break;
      input = 'This one';
    } catch (error) {
      if (!(error instanceof SessionStoreUnavailableError)) throw error;
      faults += 1;
      const record = await sessions.store.record(sessionId, 'group', 'run');
      if (record !== null && JSON.parse(record.value).status !== 'waiting') input = undefined;
      // A lease that could not be given back would have to run out first.
      const lease = await sessions.store.record(sessionId, 'lease', 'group');
      if (lease !== null && lease.dueAt !== null) return { stuck: true as const, faults };
    }
  }
  const lines = await told(sessions, sessionId);
  const { turnCount, variables } = await sessions.manager.getState(sessionId);
  return { lines, variables, turnCount, faults, reason: result?.reason, runs: new Set(runs).size };
}

const managers: Record<string, () => TurnManager | undefined> = {
  'at once': () => undefined,
  'after a while': () =>
    new LlmDirectedTurnManager({
      select: async ({ agents, selections }) => agents[selections % agents.length]?.name,
    }),
  swarm: () => new SwarmTurnManager({ firstAgent: 'cid' }),
};

describe.each(Object.keys(managers))(
  'a store that does not answer, where the choice comes %s',
  (name) => {
    it.each([false, true])('is no loss and no doubling (written: %s)', async (written) => {
      const manager = managers[name] as () => TurnManager | undefined;
      const undisturbed = await play(new InMemorySessionStore(), manager());
      expect(undisturbed).toMatchObject({ faults: 0, reason: 'steps' });
      let stuck = 0;
      let n = 1;
      for (; n < 60; n++) {
        const played = await play(failingAt(new InMemorySessionStore(), n, written), manager());
        if ('stuck' in played) {
          stuck += 1;
          continue;
        }
        expect({ ...played, faults: 0 }, `commit ${n}`).toEqual(undisturbed);
        if (played.faults === 0) break;
      }
      // All of a run's commits were tried; only what took a lease unheard has to wait until it runs out.
      expect(n).toBeGreaterThan(9);
      expect(n).toBeLessThan(60);
      expect(stuck).toBeLessThanOrEqual(written ? 2 : 0);
    });
  },
);

it('a store that writes a step in two would be found', async () => {
  const undisturbed = await play(splitting(new InMemorySessionStore()));
  expect(undisturbed).toMatchObject({ faults: 0, reason: 'steps' });
  const told = JSON.stringify('lines' in undisturbed && undisturbed.lines);
  let broken = 0;
  for (let n = 1; n < 20; n++) {
    const store = splitting(failingAt(new InMemorySessionStore(), n, true));
    const played = await play(store).catch((error: unknown) => ({ error }));
    // A run that cannot go on, or that says something else; one that waits for its lease is no fault.
    if ('stuck' in played) continue;
    if ('error' in played || JSON.stringify(played.lines) !== told) broken += 1;
  }
  expect(broken).toBeGreaterThan(5);
});
