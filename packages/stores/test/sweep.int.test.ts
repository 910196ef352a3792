import { createSessions } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { expect, it } from 'vitest';
import { startChild } from './kit/children.ts';
import { faultsIn } from './kit/database-faults.ts';
import { query } from './kit/database-rows.ts';
import { temporaryFile } from './kit/folder.ts';
import { countOf } from './scale.ts';

const script = new URL('./children/sweep.ts', import.meta.url);
const hour = 3_600_000;

/** Lets four processes with five sweepers each at sessions that have all run out. */
async function sweepTogether(
  count: number,
  twin: string,
): Promise<{ readonly told: readonly number[]; readonly claimed: number; readonly path: string }> {
  const path = temporaryFile();
  const store = await SqliteSessionStore.open(path, { synchronous: 'normal' });
  const { manager } = await createSessions(
    { sessionTtl: 60, maxSessionsPerUser: count },
    { store },
  );
  await Promise.all(
    Array.from({ length: count }, (_, i) => manager.create({ userId: 'u', sessionId: `s${i}` })),
  );
  await store.close();
  const children = [1, 2, 3, 4].map(() => startChild(script, [path, String(hour), twin]));
  for (const child of children) expect(await child.next()).toEqual({ did: 'open' });
  for (const child of children) child.say({ go: true });
  const said = await Promise.all(children.map((child) => child.next<{ expired: number }>()));
  await Promise.all(children.map((child) => child.ended));
  const rows = query<{ told: number }>(
    path,
    `SELECT (SELECT count(*) FROM ai_journal j WHERE j.session = s.key AND type = 'expired') AS told
     FROM ai_sessions s`,
  );
  return {
    told: rows.map(({ told }) => told),
    claimed: said.reduce((sum, { expired }) => sum + expired, 0),
    path,
  };
}

it('twenty sweepers in four processes tell the end of each session exactly once', async () => {
  const count = countOf('sweptTogether');
  const { claimed, path, told } = await sweepTogether(count, '');
  expect(told).toEqual(Array.from({ length: count }, () => 1));
  expect(claimed).toBe(count);
  expect(await faultsIn(path)).toEqual([]);
});

it('the same check finds sweepers without the guard', async () => {
  const { told } = await sweepTogether(100, 'blindly');
  expect(Math.max(...told)).toBeGreaterThan(1);
});
