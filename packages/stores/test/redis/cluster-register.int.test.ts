import { createSessions, type SessionStore } from '@lexigram/ai-session';
import { RedisCluster } from '@lexigram/ai-session-servers';
import { expect, it, onTestFinished } from 'vitest';
import { Keys } from '../../src/redis/keys.ts';
import { faultsOf } from '../kit/database-faults.ts';
import { pause } from '../kit/pause.ts';
import { clientOf, storeAt } from '../kit/redis-of-test.ts';

const keys = new Keys('lex:');
const hour = 3_600_000;

/** What lies across sessions, as a reader sees it; the log's entries by session and revision. */
async function seen(store: SessionStore, userId: string) {
  const { total } = await store.report({ groupBy: 'user', limit: 10 });
  const feed = await store.changes({ after: '000000000000000-0000000000', limit: 1_000 });
  const ids = (rows: readonly { sessionId: string }[]) =>
    rows.map(({ sessionId }) => sessionId).sort();
  return {
    turns: total.turns,
    cost: total.cost,
    ofUser: ids(await store.list({ userId, limit: 100 })),
    all: ids(await store.list({ limit: 100 })),
    log: feed.items.map((item) => `${item.sessionId} ${item.revision}`).sort(),
  };
}

it('a register whose master loses its last moments is told them again by the next sweep', async () => {
  const cluster = await RedisCluster.start({ settings: { appendonly: 'yes' } });
  onTestFinished(() => cluster.stop());
  const master = await cluster.masterOf(keys.all);
  // A user whose register lies there too, and sessions that lie elsewhere.
  const isThere = async (key: string): Promise<boolean> => (await cluster.masterOf(key)) === master;
  let n = 0;
  let userId = 'u0';
  while (!(await isThere(keys.user(userId)))) userId = `u${++n}`;
  const elsewhere = async (): Promise<string> => {
    let sessionId = `s${++n}`;
    while (await isThere(keys.base(sessionId))) sessionId = `s${++n}`;
    return sessionId;
  };
  const maxSessionsPerUser = 3;
  const config = { maxSessionsPerUser, sessionTtl: 60, autoCheckpointInterval: null } as const;
  const store = await storeAt(cluster.urls, { callTimeoutMs: 15_000 });
  const { manager } = await createSessions(config, { store });
  const usage = { inputTokens: 3, outputTokens: 4 };
  const add = async (sessionId: string, content: string): Promise<void> => {
    await manager.addTurn(sessionId, { role: 'user', content, usage, cost: 0.5 });
  };
  const early = await manager.create({ userId, sessionId: await elsewhere() });
  await add(early.sessionId, 'kept');
  // The replica has what was written so far, and misses what comes now.
  await pause(300);
  const [replica] = await cluster.replicasOf(master);
  replica?.pause();
  await (await clientOf(master.url)).sendCommand(['CLIENT', 'KILL', 'TYPE', 'replica']);
  await add(early.sessionId, 'lost there');
  const late = await manager.create({ userId, sessionId: await elsewhere() });
  await add(late.sessionId, 'lost there');
  const closed = await manager.create({ userId, sessionId: await elsewhere() });
  await manager.close(closed.sessionId);
  const before = await seen(store, userId);
  expect(before).toMatchObject({ turns: 3, cost: 1_500_000_000 });
  await master.kill();
  replica?.resume();
  await expect
    .poll(async () => (await cluster.masterOf(keys.all).catch(() => master)) !== master, {
      timeout: 60_000,
    })
    .toBe(true);

  let now = Date.now();
  const next = await storeAt(cluster.urls, { clock: () => now, callTimeoutMs: 15_000 });
  // Without it the test would say nothing.
  expect(await seen(next, userId)).toMatchObject({ turns: 1, ofUser: [early.sessionId] });
  now += hour;
  await next.collect({ before: 0, limit: 100 });
  expect(await seen(next, userId)).toEqual(before);
  expect(await faultsOf(next)).toEqual([]);
  const due = await next.due({ limit: 10 });
  expect(due.map((item) => item.sessionId).sort()).toEqual(
    [early.sessionId, late.sessionId].sort(),
  );
  // Two are open: one more fits, and not two.
  const after = await createSessions(config, { store });
  await after.manager.create({ userId });
  await expect(after.manager.create({ userId })).rejects.toMatchObject({
    name: 'SessionCapacityError',
  });
});
