import { expect, it } from 'vitest';
import { followEvents } from '../kit/follow-events.ts';
import { ownRedisUrl } from '../kit/open-redis.ts';
import { countOf } from '../scale.ts';

it('subscribers in two processes miss nothing of eight writers on Redis, whoever is killed', async () => {
  const count = countOf('followedChanges');
  const kills = countOf('followerKills');
  const { events, faults } = await followEvents(await ownRedisUrl(), { count, kills });
  expect(faults).toEqual([]);
  expect(events).toBeGreaterThanOrEqual(count * 0.9);
});
