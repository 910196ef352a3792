import { createSessions, type SessionManager } from '@lexigram/ai-session';
import { RedisCluster } from '@lexigram/ai-session-servers';
import { createCluster, type RedisClusterType } from 'redis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { namingOneKey } from '../broken/undeclared-keys.ts';
import { faultsOf } from '../kit/database-faults.ts';
import { pause } from '../kit/pause.ts';
import { storeAt } from '../kit/redis-of-test.ts';
import { countOf } from '../scale.ts';

const config = {
  maxTurnsPerSession: 1_000_000,
  maxSessionsPerUser: 1_000,
  sessionTtl: 0,
  autoCheckpointInterval: null,
} as const;

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await RedisCluster.start({ settings: { appendonly: 'yes' } });
});
afterAll(() => cluster.stop());

async function clientOfCluster(): Promise<RedisClusterType> {
  const rootNodes = cluster.urls.map((url) => ({ url }));
  const client: RedisClusterType = createCluster({
    rootNodes,
    defaults: { disableOfflineQueue: true },
  });
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.destroy());
  return client;
}

/** Some master other than the one that serves a key. */
async function otherMaster(key: string | number) {
  const master = await cluster.masterOf(key);
  const masters = await Promise.all([0, 8_000, 16_383].map((slot) => cluster.masterOf(slot)));
  const other = masters.find((node) => node !== master);
  if (other === undefined) throw new Error('One master serves all');
  return other;
}

async function written(manager: SessionManager, sessionId: string): Promise<readonly string[]> {
  const { turns } = await manager.getState(sessionId, { turns: 'all' });
  return turns.map(({ seq, turnId }) => `${seq} ${turnId}`);
}

/**
 * Writes to a session of which those keys that `isFirst` names have gone to another master already, and the rest goes
 * then; answers what is wrong with it.
 */
async function writeHalfway(
  store: Awaited<ReturnType<typeof storeAt>>,
  prefix: string,
  isFirst: (key: string) => boolean,
): Promise<readonly string[]> {
  const { manager } = await createSessions(config, { store });
  const { sessionId } = await manager.create({ userId: 'u', variables: { n: 0 } });
  const add = (turnId: string) =>
    manager.addTurn(sessionId, { turnId, role: 'user', content: 'x' });
  await add('a');
  const base = `${prefix}{${sessionId}}:`;
  const move = await cluster.beginMove(`${base}s`, await otherMaster(`${base}s`));
  const keys = (await move.keys()).filter((key) => key.startsWith(base));
  await move.move(keys.filter(isFirst));
  const calls = [
    add('b'),
    manager.setVariables(sessionId, { n: 1 }),
    manager.getState(sessionId, { turns: 'all' }),
  ];
  const settled = Promise.allSettled(calls);
  await Promise.race([settled, pause(100)]);
  try {
    await move.end();
  } catch (error) {
    // A key that stands on both sides is not moved; who moves slots would have to choose.
    return [String(error)];
  }
  const faults = (await settled).flatMap((one) =>
    one.status === 'rejected' ? [String(one.reason)] : [],
  );
  const shown = (await written(manager, sessionId)).join();
  if (shown !== '1 a,2 b') faults.push(`its turns are ${shown}`);
  await manager.addTurn(sessionId, { turnId: 'c', role: 'user', content: 'x' });
  return [...faults, ...(await faultsOf(store))];
}

const halves: readonly (readonly [name: string, isFirst: (key: string) => boolean])[] = [
  ['its state', (key) => key.endsWith(':s')],
  ['all but its state', (key) => !key.endsWith(':s')],
  ['nothing', () => false],
  ['all', () => true],
];

it('a session is whole while its slot moves, wherever its keys are', async () => {
  const prefix = 'whole:';
  const store = await storeAt(cluster.urls, { prefix, callTimeoutMs: 15_000 });
  for (const [name, isFirst] of halves) {
    expect(await writeHalfway(store, prefix, isFirst), name).toEqual([]);
  }
});

it('nothing is lost or doubled while slots move under writers, and a node comes and goes', async ({
  annotate,
}) => {
  const store = await storeAt(cluster.urls, { callTimeoutMs: 15_000 });
  const { manager } = await createSessions(config, { store });
  const told = new Map<string, string[]>();
  for (let n = 0; n < 8; n++) {
    told.set((await manager.create({ userId: `u${n % 2}` })).sessionId, []);
  }
  let over = false;
  let longest = 0;
  const usage = { inputTokens: 2, outputTokens: 1 };
  const writing = [...told].map(async ([sessionId, own]) => {
    for (let n = 1; !over; n++) {
      const since = performance.now();
      const turn = { turnId: `t${n}`, role: 'user', content: `${n}`, usage, cost: 0.001 } as const;
      await manager.addTurn(sessionId, turn);
      own.push(`${n} t${n}`);
      longest = Math.max(longest, performance.now() - since);
    }
  });
  const stopped = Promise.all(writing);
  // A failure is seen at once.
  const failed = new Promise<never>((_, reject) => stopped.catch(reject));
  failed.catch(() => {});
  const registers = ['lex:{.}:log'];
  const homes = [...told.keys()].map((id) => `lex:{${id}}:s`);
  const moveSlots = async (
    keys: readonly (string | number)[],
    to: Parameters<RedisCluster['beginMove']>[1],
  ): Promise<void> => {
    for (const key of keys) {
      if ((await cluster.masterOf(key)) === to) continue;
      const move = await cluster.beginMove(key, to);
      // Key after key, so that others come between.
      for (const one of await move.keys()) await move.move([one]).catch(() => {});
      await move.end();
    }
  };
  const work = async (): Promise<void> => {
    for (let round = 0; round < countOf('slotMoves'); round++) {
      const added = await cluster.addNode();
      await moveSlots([...registers, ...homes], added);
      const heir = await otherMaster(homes[0] ?? '');
      await moveSlots(await cluster.slotsOf(added), heir);
      await cluster.removeNode(added);
      await pause(100);
    }
  };
  await Promise.race([work(), failed]);
  over = true;
  await stopped;
  for (const [sessionId, own] of told) expect(await written(manager, sessionId)).toEqual(own);
  expect(await faultsOf(store)).toEqual([]);
  const all = [...told.values()].flat().length;
  const { total } = await store.report({ groupBy: 'user', limit: 10 });
  expect(total).toMatchObject({ turns: all });
  expect((await store.list({ limit: 100 })).length).toBe(told.size);
  let [after, seen] = ['000000000000000-0000000000', 0];
  for (let done = false; !done; ) {
    const page = await store.changes({ after, limit: 1_000 });
    seen += page.items.length;
    ({ done } = page);
    after = page.next;
  }
  expect(seen).toBe(all + told.size);
  await annotate(`${all} acknowledged, the longest wait ${Math.round(longest)} ms`);
});

it('what lies in a slot that is left open is refused in time, and is as it was when it is closed', async () => {
  const prefix = 'open:';
  const callTimeoutMs = 400;
  const store = await storeAt(cluster.urls, { prefix, callTimeoutMs });
  const { manager } = await createSessions(config, { store });
  const { sessionId } = await manager.create({ userId: 'u' });
  const add = (turnId: string) => {
    return manager.addTurn(sessionId, { turnId, role: 'user', content: 'x' });
  };
  await add('a');
  const key = `${prefix}{${sessionId}}:s`;
  const move = await cluster.beginMove(key, await otherMaster(key));
  await move.move((await move.keys()).slice(0, 3));
  const unavailable = { name: 'SessionStoreUnavailableError', reason: 'unreachable' };
  for (const call of [() => add('b'), () => manager.getState(sessionId)]) {
    const since = performance.now();
    await expect(call()).rejects.toMatchObject(unavailable);
    expect(performance.now() - since).toBeLessThan(callTimeoutMs + 2_000);
  }
  await move.end();
  expect(await written(manager, sessionId)).toEqual(['1 a']);
  expect(await add('b')).toMatchObject({ seq: 2, duplicate: false });
  expect(await faultsOf(store)).toEqual([]);
});

it('the same check finds what scripts do that name one of their keys alone', async () => {
  const prefix = 'twin:';
  const twin = namingOneKey(await clientOfCluster()) as never;
  const store = await storeAt(twin, { prefix, callTimeoutMs: 700 });
  for (const [name, isFirst] of halves.slice(0, 2)) {
    const faults = await writeHalfway(store, prefix, isFirst).catch((error) => [String(error)]);
    expect(faults, name).not.toEqual([]);
  }
});
