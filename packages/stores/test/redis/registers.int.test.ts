import { createSessions } from '@lexigram/ai-session';
import type { RedisClientType } from 'redis';
import { expect, it } from 'vitest';
import { ownRedisUrl } from '../kit/open-redis.ts';
import { clientOf, storeAt } from '../kit/redis-of-test.ts';
import { redis, redisCluster } from '../kit/stores-on-trial.ts';

async function place() {
  const url = await ownRedisUrl();
  const prefix = new URL(url).searchParams.get('prefix') ?? '';
  return { url, prefix, client: await clientOf(url), register: `${prefix}{.}:` };
}

it('times that no longer fit are dropped when they come up', async () => {
  const { client, register, url } = await place();
  const store = await storeAt(url);
  const { manager } = await createSessions({}, { store });
  const { sessionId } = await manager.create({ userId: 'u' });
  // Of a record that is gone, and of a session that is.
  await client.sAdd(`${register}due:`, 'lease');
  await client.zAdd(`${register}due:lease`, { score: 1, value: `${sessionId}\nnone` });
  await client.zAdd(`${register}due`, { score: 1, value: 'nobody' });
  expect(await store.due({ limit: 10 })).toEqual([]);
  expect(await client.zCard(`${register}due:lease`)).toBe(0);
  expect(await client.zRange(`${register}due`, 0, -1)).toEqual([sessionId]);
});

it('a time that somebody set meanwhile stays', async () => {
  const { client, prefix, register } = await place();
  await client.zAdd(`${register}due`, { score: 1, value: 'nobody' });
  let isMoved = false;
  // Between the look at a session that is gone and the step that takes it out.
  const meddling = Object.assign(Object.create(client) as RedisClientType, {
    sendCommand: async (words: string[]) => {
      if (words.includes('unless')) {
        await client.zAdd(`${register}due`, { score: Date.now() + 60_000, value: 'nobody' });
        isMoved = true;
      }
      return client.sendCommand(words);
    },
  });
  const store = await storeAt(meddling as never, { prefix });
  expect(await store.due({ limit: 10 })).toEqual([]);
  expect(isMoved).toBe(true);
  expect(await client.zRange(`${register}due`, 0, -1)).toEqual(['nobody']);
});

it('what is known to be dropped of the log never becomes less', async () => {
  const { client, register, url } = await place();
  const now = Date.now();
  const store = await storeAt(url, { clock: () => now });
  const { manager } = await createSessions({}, { store });
  await manager.create({ userId: 'u' });
  const last = `${now + 1_000_000}-0`;
  await client.set(`${register}dropped`, last);
  expect(await store.collect({ before: now + 1, limit: 10 })).toBeGreaterThan(0);
  expect(await client.get(`${register}dropped`)).toBe(last);
});

it.each([redis, redisCluster])(
  'on $name what was refused does not count for a cap',
  async (kind) => {
    const store = await storeAt(await kind.url(''));
    const { manager } = await createSessions({ maxSessionsPerUser: 3 }, { store });
    await manager.create({ userId: 'u', sessionId: 'one' });
    const conflict = { name: 'SessionConflictError' };
    for (let n = 0; n < 4; n++) {
      const again = manager.create({ userId: 'u', sessionId: 'one' });
      await expect(again).rejects.toMatchObject(conflict);
    }
    await manager.create({ userId: 'u' });
    await manager.create({ userId: 'u' });
    const capped = { name: 'SessionCapacityError' };
    await expect(manager.create({ userId: 'u' })).rejects.toMatchObject(capped);
  },
);
