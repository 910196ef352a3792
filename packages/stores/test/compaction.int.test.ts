import { createSessions, type Sessions } from '@lexigram/ai-session';
import { expect, it } from 'vitest';
import type { Compacted } from './children/compact-until-killed.ts';
import { startChild } from './kit/children.ts';
import { temporaryFolder } from './kit/folder.ts';
import { openUrl } from './kit/open-url.ts';
import { randomOf } from './kit/random.ts';
import { describeEach, sqlite, sqliteOrAll } from './kit/stores-on-trial.ts';
import { summaryOf } from './kit/summary-of.ts';
import { countOf } from './scale.ts';

const script = new URL('./children/compact-until-killed.ts', import.meta.url);
const sessionId = 'talk';

describeEach(sqliteOrAll, 'summaries', (kind) => {
  it('of processes that are killed are of turns they saw, and lose none', async () => {
    const url = await kind.url(temporaryFolder());
    await using sessions = await open(url);
    await sessions.manager.create({ userId: 'u', sessionId });
    const random = randomOf(20_261_126);
    const said: Compacted[] = [];
    for (let round = 1; round <= countOf('compactionKills'); round++) {
      const children = ['write', 'write', 'compact', 'compact'].map((part, i) =>
        startChild(script, [url, sessionId, `r${round}p${i}`, part]),
      );
      // Where turns are written fast, a round that counts them may end before a summary is made.
      const counted = round % 2 === 1 ? 'turn' : 'summary';
      let left = counted === 'turn' ? random.between(60, 200) : random.between(1, 4);
      let open = 0;
      await Promise.all(
        children.map(async (child) => {
          for await (const done of child.messages<Compacted>()) {
            said.push(done);
            if (done.did === 'open') open += 1;
            if (open < children.length) continue;
            if (done.did === counted) left -= 1;
            if (left === 0) for (const each of children) each.kill();
          }
          expect(await child.ended).toEqual({ code: null, signal: 'SIGKILL', errors: '' });
        }),
      );
      expect(await faultsIn(sessions, said), `round ${round}`).toEqual([]);
    }
    expect(said.filter(({ did }) => did === 'summary').length).toBeGreaterThan(0);
    // Whoever was killed while summing up holds nobody up for longer than its lease.
    const last = await compactWhenFree(sessions);
    const { turnCount } = await sessions.manager.getState(sessionId);
    expect(last).toBe(turnCount - 1);
    expect(await faultsIn(sessions, said)).toEqual([]);
  });
});

it('the same check finds a summary of turns that were not seen, and a lost turn', async () => {
  await using sessions = await open(await sqlite.url(temporaryFolder()));
  await sessions.manager.create({ userId: 'u', sessionId });
  for (const turnId of ['a', 'b', 'c']) {
    await sessions.manager.addTurn(sessionId, { turnId, role: 'user', content: turnId });
  }
  await sessions.projection.compact(sessionId, {
    upTo: 2,
    summarise: () => summaryOf(null, ['a', 'b']),
  });
  expect(await faultsIn(sessions, [{ did: 'turn', turnId: 'c' }])).toEqual([]);
  expect(await faultsIn(sessions, [{ did: 'turn', turnId: 'd' }])).toHaveLength(1);
  const summarise = () => summaryOf(null, ['a', 'b', 'c', 'd']);
  await sessions.projection.compact(sessionId, { upTo: 3, summarise });
  expect(await faultsIn(sessions, [])).toHaveLength(1);
});

async function open(url: string): Promise<Sessions> {
  const store = await openUrl(url);
  const config = { maxTurnsPerSession: 100_000, autoCheckpointInterval: null };
  const sessions = await createSessions(config, { store });
  return { ...sessions, [Symbol.asyncDispose]: () => store.close() };
}

/** Turns that were acknowledged and are not there, and summaries that are not of what they stand for. */
async function faultsIn(sessions: Sessions, said: readonly Compacted[]): Promise<string[]> {
  const { turns } = await sessions.manager.getState(sessionId, { turns: 'all' });
  const ids = turns.map(({ turnId }) => turnId);
  const there = new Set(ids);
  const faults = said.flatMap((done) =>
    done.did === 'turn' && !there.has(done.turnId) ? [`${done.turnId} is lost`] : [],
  );
  const records = await sessions.store.records(sessionId, 'overlay', { limit: 100_000 });
  const upTo: string[] = [''];
  for (const id of ids) upTo.push(summaryOf(upTo.at(-1) ?? '', [id]));
  for (const { value } of records) {
    const { summary, to } = JSON.parse(value);
    if (summary !== summaryOf(null, ids.slice(0, to.seq)))
      faults.push(`the summary up to ${to.seq}`);
    if (ids[to.seq - 1] !== to.turnId) faults.push(`the end of the summary up to ${to.seq}`);
  }
  const ends = new Set(records.map(({ value }) => JSON.parse(value).to.seq));
  if (ends.size !== records.length) faults.push('two summaries of one range');
  return faults;
}

async function compactWhenFree(sessions: Sessions): Promise<number> {
  for (;;) {
    const made = await sessions.projection
      .compact(sessionId, {
        keepLast: 1,
        summarise: ({ previous, turns }) =>
          summaryOf(
            previous,
            turns.map(({ turnId }) => turnId),
          ),
      })
      .catch((error: { code?: string }) => {
        if (error.code !== 'LEX_ERR_SES_019') throw error;
        return null;
      });
    if (made !== null) return made.toSeq;
    await new Promise(setImmediate);
  }
}
