import { createHash } from 'node:crypto';
import { createSessions, type SessionStore } from '@lexigram/ai-session';
import { createCluster } from 'redis';
import { expect, it, onTestFinished } from 'vitest';
import { takeScript } from '../../src/redis/scripts.ts';
import { ownClusterUrls } from '../kit/open-redis.ts';
import { storeAt } from '../kit/redis-of-test.ts';

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

it('what a process owed to registers when it ended, the next sweep gives them, once', async () => {
  const urls = await ownClusterUrls();
  const prefix = new URL(urls[0] ?? '').searchParams.get('prefix') ?? '';
  const client = createCluster({ rootNodes: urls.map((url) => ({ url: new URL('/', url).href })) });
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.destroy());
  let cut = false;
  // A process that ends after its flush and before it tells the registers.
  const dying = Object.assign(Object.create(client) as typeof client, {
    sendCommand: (key: string, isReadonly: boolean, words: string[]) => {
      const takes = words[1] === digest || words[1] === takeScript;
      if (cut && takes) return Promise.reject(new Error('the process is gone'));
      return client.sendCommand(key, isReadonly, words);
    },
  });
  let now = Date.now();
  const clock = (): number => now;
  const store = await storeAt(dying as never, { prefix, clock, callTimeoutMs: 400 });
  const { manager } = await createSessions({ sessionTtl: 60 }, { store });
  const whole = await manager.create({ userId: 'u' });
  const usage = { inputTokens: 3, outputTokens: 4 };
  await manager.addTurn(whole.sessionId, { role: 'user', content: 'seen', usage, cost: 0.5 });
  cut = true;
  const hidden = await manager.create({ userId: 'u' });
  for (const id of [whole.sessionId, hidden.sessionId]) {
    await manager.addTurn(id, { role: 'user', content: 'owed', usage, cost: 0.25 });
  }
  const next = await storeAt([...urls], { clock });
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
  cut = false;
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await next.collect({ before: 0, limit: 100 });
  expect(await seen(next)).toEqual(after);
});
