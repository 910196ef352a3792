import { createSessions } from '@lexigram/ai-session';
import { expect, it } from 'vitest';
import { followEvents } from '../kit/follow-events.ts';
import { clientOf, storeAt } from '../kit/redis-of-test.ts';
import { redis, redisCluster } from '../kit/stores-on-trial.ts';
import { countOf } from '../scale.ts';

it.each([redis, redisCluster])(
  'subscribers in two processes miss nothing of eight writers on $name, whoever is killed',
  async (kind) => {
    const count = countOf('followedChanges');
    const kills = countOf('followerKills');
    const { events, faults } = await followEvents(await kind.url(''), { count, kills });
    expect(faults).toEqual([]);
    expect(events).toBeGreaterThanOrEqual(count * 0.9);
  },
);

it.each([redis, redisCluster])('a bell tells processes on $name of each other', async (kind) => {
  const url = await kind.url('');
  const bell = `${new URL(url).searchParams.get('prefix')}{.}:bell`;
  const client = await clientOf(url);
  const ear = client.duplicate();
  await ear.connect();
  let heard = 0;
  await ear.subscribe(bell, () => {
    heard += 1;
  });
  const store = await storeAt(url);
  const { manager } = await createSessions({}, { store });
  await manager.create({ userId: 'u' });
  await expect.poll(() => heard).toBeGreaterThan(0);
  // Nothing was written, so that only the bell can be why it wakes.
  let woken = 0;
  const stop = store.watch(() => {
    woken += 1;
  });
  await expect.poll(() => woken).toBeGreaterThan(0);
  await expect
    .poll(async () => {
      const before = woken;
      await client.publish(bell, '');
      await new Promise((resolve) => setTimeout(resolve, 100));
      return woken > before;
    })
    .toBe(true);
  stop();
  ear.destroy();
});
