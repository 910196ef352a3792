import { expect, it } from 'vitest';
import { followEvents } from '../kit/follow-events.ts';
import { temporarySchema } from '../kit/postgres-schema.ts';
import { countOf } from '../scale.ts';

it('subscribers in two processes miss nothing of eight writers on Postgres, whoever is killed', async ({
  annotate,
}) => {
  const count = countOf('followedChanges');
  const kills = countOf('followerKills');
  const { events, faults } = await followEvents((await temporarySchema()).place, { count, kills });
  await annotate(`${events} events told to each`);
  expect(faults).toEqual([]);
  expect(events).toBeGreaterThanOrEqual(count * 0.9);
});
