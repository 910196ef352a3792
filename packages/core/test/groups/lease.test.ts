import {
  type AgentContext,
  createSessions,
  type GroupResult,
  InMemorySessionStore,
  SessionLeaseError,
  type SessionStore,
  type Sessions,
} from '@lexigram/ai-session';
import { expect, it } from 'vitest';
import { SessionCleanupScheduler } from '../../src/cleanup/session-cleanup-scheduler.ts';
import { scripted, told } from './kit.ts';

const leaseMs = 60_000;

/** Two processes on one store whose clock the test moves. */
async function openTwo(wrap = (store: SessionStore): SessionStore => store) {
  const bench = { now: 1_000_000 };
  const store = wrap(new InMemorySessionStore({ clock: () => bench.now }));
  const open = () => createSessions({ sessionTtl: 0 }, { store });
  const [one, other] = [await open(), await open()];
  const { sessionId } = await one.manager.create({ userId: 'ada' });
  return { bench, one, other, id: sessionId, store };
}

/** An agent that hangs in its first step in one process until it is let go. */
function hanging() {
  let letGo = (): void => {};
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let entered = (_context: AgentContext): void => {};
  const inside = new Promise<AgentContext>((resolve) => {
    entered = resolve;
  });
  const agent = scripted('ann', async (context) => {
    entered(context);
    await gate;
    return `late in ${context.step}`;
  });
  return { agent, inside, letGo: () => letGo() };
}

const group = (sessions: Sessions, ms = leaseMs) => sessions.group({ leaseMs: ms });

it('a process that was overtaken writes nothing any more, and is told who has the run', async () => {
  const { bench, id, one, other } = await openTwo();
  const { agent, inside, letGo } = hanging();
  const first = group(one).addAgent(agent);
  const stale = first.run(id, 'Hi', { maxSteps: 3 });
  const { key } = await inside;
  const keys: string[] = [];
  const second = group(other).addAgent(
    scripted('ann', (context) => {
      keys.push(context.key);
      return `here ${context.step}`;
    }),
  );
  await expect(second.resume(id)).rejects.toThrow(SessionLeaseError);
  bench.now += leaseMs - 1;
  await expect(second.resume(id)).rejects.toThrow(SessionLeaseError);
  bench.now += 1;
  expect(await second.resume(id)).toMatchObject({ reason: 'steps', steps: 3 });
  expect(keys[0]).toBe(key);
  letGo();
  await expect(stale).rejects.toThrow(SessionLeaseError);
  const lines = ['user: Hi', 'ann: here 1', 'ann: here 2', 'ann: here 3'];
  expect(await told(one, id)).toEqual(lines);
  const run = JSON.parse((await one.store.record(id, 'group', 'run'))?.value ?? '');
  expect(run).toMatchObject({ status: 'ended', reason: 'steps' });
});

/** The overtaken process wakes up while the other one is at a step; answers how it ended, and what was said. */
async function wakeAt(at: number, wrap?: (store: SessionStore) => SessionStore) {
  const { bench, id, one, other } = await openTwo(wrap);
  const { agent, inside, letGo } = hanging();
  const stale = group(one)
    .addAgent(agent)
    .run(id, 'Hi', { maxSteps: 3 })
    .catch((error: unknown) => error);
  await inside;
  bench.now += leaseMs;
  const second = group(other).addAgent(
    scripted('ann', async ({ step }) => {
      if (step === at) {
        letGo();
        await stale;
      }
      return `here ${step}`;
    }),
  );
  await second.resume(id).catch(() => {});
  return { ended: await stale, lines: await told(one, id) };
}

it('the same while the other one is still at work, at each of its steps', async () => {
  for (let at = 1; at <= 3; at++) {
    const { ended, lines } = await wakeAt(at);
    expect(ended).toBeInstanceOf(SessionLeaseError);
    expect((ended as Error).message).toMatch(/is held by '/);
    expect(lines).toEqual(['user: Hi', 'ann: here 1', 'ann: here 2', 'ann: here 3']);
  }
});

it('a store that does not compare the token in the write would be found', async () => {
  const { lines } = await wakeAt(1, (store) => {
    const commit: SessionStore['commit'] = (sessionId, { guards, ...rest }) => {
      const { records: _, ...others } = guards ?? {};
      return store.commit(sessionId, { ...rest, guards: others });
    };
    return new Proxy(store, {
      get: (target, key) => {
        const value: unknown = key === 'commit' ? commit : Reflect.get(target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  });
  expect(lines).toContain('ann: late in 1');
});

it('a lease that has run out and that nobody took is still good', async () => {
  const { bench, id, one } = await openTwo();
  const slow = group(one).addAgent(
    scripted('ann', () => {
      bench.now += 2 * leaseMs;
      return 'x';
    }),
  );
  expect(await slow.run(id, 'Hi', { maxSteps: 2 })).toMatchObject({ reason: 'steps' });
});

it('a process that lives keeps its lease', async () => {
  const { bench, id, one, other, store } = await openTwo();
  const { agent, inside, letGo } = hanging();
  const running = group(one, 50).addAgent(agent).run(id, 'Hi', { maxSteps: 1 });
  await inside;
  const second = group(other, 50).addAgent(scripted('ann'));
  for (let beat = 0; beat < 3; beat++) {
    bench.now += 49;
    // The next beat extends it from the store's now.
    while ((await store.record(id, 'lease', 'group'))?.dueAt !== bench.now + 50) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await expect(second.resume(id)).rejects.toThrow(SessionLeaseError);
  }
  expect((await store.record(id, 'lease', 'group'))?.version).toBe(1);
  letGo();
  expect(await running).toMatchObject({ reason: 'steps' });
});

it('an agent is told at once that its process was overtaken', async () => {
  const { bench, id, one, other } = await openTwo();
  const { agent, inside } = hanging();
  const stale = group(one, 50)
    .addAgent(agent)
    .run(id, 'Hi', { maxSteps: 1 })
    .catch((error: unknown) => error);
  const { signal } = await inside;
  bench.now += 50;
  await group(other).addAgent(scripted('ann')).resume(id);
  // The next beat is refused, long before the agent would answer.
  expect(await stale).toBeInstanceOf(SessionLeaseError);
  expect(signal.aborted).toBe(true);
});

it('a step that brings its process down again and again is given up, the run with it', async () => {
  const { bench, id, one } = await openTwo();
  const pending: Promise<GroupResult | Error>[] = [];
  const crash = async (go: (first: ReturnType<typeof group>) => Promise<GroupResult>) => {
    const { agent, inside } = hanging();
    const process = group(one)
      .addAgent(scripted('bob', () => 'fine'))
      .addAgent(agent);
    pending.push(go(process).catch((error: Error) => error));
    await inside;
    bench.now += leaseMs;
  };
  await crash((first) => first.run(id, 'Hi'));
  for (let recovery = 1; recovery <= 3; recovery++) await crash((next) => next.resume(id));
  const last = group(one).addAgent(scripted('bob')).addAgent(scripted('ann'));
  expect(await last.resume(id)).toMatchObject({
    reason: 'failed',
    detail: 'step 2 was taken over 3 times',
    steps: 1,
  });
  expect(await last.run(id, 'Once more', { maxSteps: 2 })).toMatchObject({ reason: 'steps' });
  expect(pending).toHaveLength(4);
});

it('recoveries count from new once a step is done', async () => {
  const { bench, id, one } = await openTwo();
  const crashed: Promise<unknown>[] = [];
  for (let step = 1; step <= 6; step++) {
    const { agent, inside } = hanging();
    const process = group(one).addAgent({
      name: 'ann',
      execute: (message, history, context) =>
        context.step < step ? `done ${context.step}` : agent.execute(message, history, context),
    });
    const run = step === 1 ? process.run(id, 'Hi', { maxSteps: 6 }) : process.resume(id);
    crashed.push(run.catch(() => {}));
    await inside;
    bench.now += leaseMs;
  }
  const last = group(one).addAgent(scripted('ann', ({ step }) => `done ${step}`));
  expect(await last.resume(id)).toMatchObject({ reason: 'steps', steps: 6 });
  expect(await told(one, id)).toHaveLength(7);
});

it('the sweep frees what nobody came for, once; it is still a crash for who resumes it', async () => {
  const { bench, id, one, other, store } = await openTwo();
  const { agent, inside, letGo } = hanging();
  const stale = group(one).addAgent(agent).run(id, 'Hi', { maxSteps: 1 });
  await inside;
  const cleanup = new SessionCleanupScheduler(
    { store, config: { sessionTtl: 0 } },
    { clock: () => bench.now },
  );
  const lease = () => store.record(id, 'lease', 'group');
  await cleanup.sweep();
  expect(await lease()).toMatchObject({ version: 1, dueAt: bench.now + leaseMs });
  bench.now += leaseMs;
  expect(await store.due({ limit: 10 })).toHaveLength(1);
  await cleanup.sweep();
  expect(await lease()).toMatchObject({ version: 2, dueAt: null });
  expect(await store.due({ limit: 10 })).toEqual([]);
  letGo();
  await expect(stale).rejects.toThrow(SessionLeaseError);
  expect(await told(one, id)).toEqual(['user: Hi']);
  const second = group(other).addAgent(scripted('ann', () => 'here'));
  expect(await second.resume(id)).toMatchObject({ reason: 'steps' });
  expect(await told(one, id)).toEqual(['user: Hi', 'ann: here']);
});
