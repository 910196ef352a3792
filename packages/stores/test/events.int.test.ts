import { expect, it } from 'vitest';
import { startChild } from './kit/children.ts';
import { temporaryFile } from './kit/folder.ts';
import { followEvents } from './kit/follow-events.ts';
import { countOf } from './scale.ts';

it('subscribers in two processes miss nothing of eight writers, whoever is killed', async ({
  annotate,
}) => {
  const count = countOf('followedChanges');
  const kills = countOf('followerKills');
  const { events, faults } = await followEvents(`sqlite:${temporaryFile()}`, { count, kills });
  await annotate(`${events} events told to each`);
  expect(faults).toEqual([]);
  expect(events).toBeGreaterThanOrEqual(count * 0.9);
});

it('the same check finds what a cursor by time skips', async () => {
  const options = { count: 200, kills: 0, twin: 'polls-by-time' };
  const { faults } = await followEvents(`sqlite:${temporaryFile()}`, options);
  expect(faults.join('\n')).toMatch(/missing/);
});

it('a subscription alone keeps no process alive', async () => {
  const path = temporaryFile();
  const child = startChild(new URL('./children/only-subscribes.ts', import.meta.url), [path]);
  expect(await child.ended).toEqual({ code: 0, signal: null, errors: '' });
});
