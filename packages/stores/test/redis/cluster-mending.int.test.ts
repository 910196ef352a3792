import { createHash } from 'node:crypto';
import { createSessions, type SessionStore } from '@lexigram/ai-session';
import { createCluster } from 'redis';
import { expect, it, onTestFinished, vi } from 'vitest';
import { takeScript } from '../../src/redis/scripts.ts';
import { ownClusterUrls } from '../kit/open-redis.ts';
import { keysUnder, storeAt } from '../kit/redis-of-test.ts';

const digest = createHash('sha1').update(takeScript).digest('hex');
const hour = 3_600_000;

/** What lies across sessions, as a reader sees it. */
async function seen(store: SessionStore) {
  const { total } = await store.report({ groupBy: 'user', limit: 10 });
  const users = await store.list({ userId: 'u', limit: 100 });
  const all = await store.list({ limit: 100 });
  const feed = await store.changes({ after: '000000000000000-0000000000', limit: 1_000 });
  return {
    turns: total.turns,
    cost: total.cost,
    users: users.length,
    all: all.length,
    changes: feed.items.map((item) => item.type),
  };
}

/**
 * A store whose registers cannot be reached while `cut`, as if its process had ended behind each flush; and each of
 * whose calls costs it some time.
 */
async function cutStore(clock?: () => number, callTimeoutMs?: number) {
  const urls = await ownClusterUrls();
  const prefix = new URL(urls[0] ?? '').searchParams.get('prefix') ?? '';
  const client = createCluster({ rootNodes: urls.map((url) => ({ url: new URL('/', url).href })) });
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.destroy());
  const registers = { cut: false, callMs: 0 };
  const started = performance.now.bind(performance);
  let spent = 0;
  const timer = vi.spyOn(performance, 'now').mockImplementation(() => started() + spent);
  onTestFinished(() => timer.mockRestore());
  const through = Object.assign(Object.create(client) as typeof client, {
    sendCommand: (key: string, isReadonly: boolean, words: string[]) => {
      spent += registers.callMs;
      const takes = words[1] === digest || words[1] === takeScript;
      if (registers.cut && takes) return Promise.reject(new Error('ERR cut off'));
      return client.sendCommand(key, isReadonly, words);
    },
  });
  const store = await storeAt(through as never, { prefix, clock, callTimeoutMs });
  return { store, urls, registers };
}

it('what a process owed to registers when it ended, the next sweep gives them, once', async () => {
  let now = Date.now();
  const clock = (): number => now;
  const { registers, store, urls } = await cutStore(clock);
  const { manager } = await createSessions({ sessionTtl: 60 }, { store });
  const whole = await manager.create({ userId: 'u' });
  const usage = { inputTokens: 3, outputTokens: 4 };
  await manager.addTurn(whole.sessionId, { role: 'user', content: 'seen', usage, cost: 0.5 });
  registers.cut = true;
  const hidden = await manager.create({ userId: 'u' });
  for (const id of [whole.sessionId, hidden.sessionId]) {
    await manager.addTurn(id, { role: 'user', content: 'owed', usage, cost: 0.25 });
  }
  const next = await storeAt(urls, { clock });
  const before = await seen(next);
  // All of it is there, but what lies across sessions does not know of it yet.
  expect((await next.session(hidden.sessionId))?.sessionId).toBe(hidden.sessionId);
  expect(before).toMatchObject({ turns: 1, users: 1, all: 1 });
  now += hour;
  await next.collect({ before: 0, limit: 100 });
  const after = await seen(next);
  expect(after).toMatchObject({ turns: 3, users: 2, all: 2 });
  expect(after.changes.length).toBe(before.changes.length + 3);
  const due = await next.due({ limit: 10 });
  expect(due.map((item) => item.sessionId).sort()).toEqual(
    [whole.sessionId, hidden.sessionId].sort(),
  );
  // Another sweep, and the same process come back to life, change nothing of it.
  registers.cut = false;
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await next.collect({ before: 0, limit: 100 });
  expect(await seen(next)).toEqual(after);
});

it('what a process owes that slept for an hour is found, though others had let go of its session', async () => {
  let now = Date.now();
  const clock = (): number => now;
  const { registers, store, urls } = await cutStore(clock, 1_000);
  const { manager } = await createSessions({ sessionTtl: 0 }, { store });
  const { sessionId } = await manager.create({ userId: 'u' });
  const other = await storeAt(urls, { clock });
  now += hour;
  await other.collect({ before: 0, limit: 100 });
  expect(await keysUnder(urls, '*}:watched')).toEqual([]);
  registers.cut = true;
  await manager.addTurn(sessionId, { role: 'user', content: 'owed' });
  expect((await seen(other)).turns).toBe(0);
  now += hour;
  await other.collect({ before: 0, limit: 100 });
  expect((await seen(other)).turns).toBe(1);
});

it('a process that goes on gives registers all that they missed, however much it is', async () => {
  const { registers, store, urls } = await cutStore();
  const { manager } = await createSessions({}, { store });
  const { sessionId } = await manager.create({ userId: 'u' });
  registers.cut = true;
  const count = 450;
  for (let n = 0; n < count; n++)
    await manager.addTurn(sessionId, { role: 'user', content: `${n}` });
  const other = await storeAt(urls);
  expect((await seen(other)).turns).toBe(0);
  registers.cut = false;
  await expect.poll(async () => (await seen(other)).turns, { timeout: 30_000 }).toBe(count);
});

it('who writes to a session next gives registers first what it owes already', async () => {
  const { registers, store, urls } = await cutStore();
  const { manager } = await createSessions({}, { store });
  registers.cut = true;
  const { sessionId } = await manager.create({ userId: 'u' });
  await manager.addTurn(sessionId, { role: 'user', content: 'owed' });
  const other = await storeAt(urls);
  expect(await seen(other)).toMatchObject({ turns: 0, users: 0, changes: [] });
  const next = await createSessions({}, { store: other });
  await next.manager.addTurn(sessionId, { role: 'user', content: 'next' });
  expect(await seen(other)).toMatchObject({ turns: 2, users: 1, all: 1 });
  const { items } = await other.changes({ after: '000000000000000-0000000000', limit: 10 });
  expect(items.map(({ revision }) => revision)).toEqual([1, 2, 3]);
});

it('a cap counts sessions of which registers do not know yet', async () => {
  const { registers, store, urls } = await cutStore();
  const config = { maxSessionsPerUser: 2 };
  const { manager } = await createSessions(config, { store });
  registers.cut = true;
  for (let n = 0; n < 2; n++) await manager.create({ userId: 'u' });
  const other = await storeAt(urls);
  expect((await seen(other)).users).toBe(0);
  const next = await createSessions(config, { store: other });
  const refused = { name: 'SessionCapacityError' };
  await expect(next.manager.create({ userId: 'u' })).rejects.toMatchObject(refused);
});

it('a sweep that lacks the time for all leaves the rest to the next one', async () => {
  let now = Date.now();
  const { registers, store, urls } = await cutStore(() => now, 8_000);
  const { manager } = await createSessions({ sessionTtl: 0 }, { store });
  const count = 100;
  await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const { sessionId } = await manager.create({ userId: `u${n}` });
      await manager.setVariables(sessionId, { n }, { operationId: 'o' });
    }),
  );
  now += 26 * hour;
  registers.callMs = 10;
  const dropped: number[] = [];
  while (dropped.at(-1) !== 0) {
    dropped.push(await store.collect({ before: now - 25 * hour, limit: 500 }));
  }
  expect(dropped.length).toBeGreaterThan(3);
  // Of each session two entries of the log, and its operation.
  expect(dropped.reduce((sum, each) => sum + each)).toBe(3 * count);
  registers.callMs = 0;
  now += hour;
  await store.collect({ before: 0, limit: 1 });
  expect(await keysUnder(urls, '*}:watched')).toEqual([]);
  expect(await keysUnder(urls, '*}:x')).toEqual([]);
});
