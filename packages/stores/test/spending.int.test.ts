import { createSessions } from '@lexigram/ai-session';
import { expect, it } from 'vitest';
import type { Spent } from './children/spend-until-killed.ts';
import { startChild } from './kit/children.ts';
import { faultsIn } from './kit/database-faults.ts';
import { temporaryFolder } from './kit/folder.ts';
import { openUrl } from './kit/open-url.ts';
import { randomOf } from './kit/random.ts';
import { describeEach, storesOnTrial } from './kit/stores-on-trial.ts';
import { countOf, isFull } from './scale.ts';

const script = new URL('./children/spend-until-killed.ts', import.meta.url);
const processes = 4;
/** Turns that the budget is for, and the most that one commit adds. */
const budgetTurns = 1_500;
const batch = 3;

describeEach(storesOnTrial, 'four processes that spend one budget and are killed', (place) => {
  it('have every turn counted once', async () => {
    const url = await place.url(temporaryFolder());
    const random = randomOf(41);
    let acknowledged = 0;
    let refused = 0;
    for (let round = 1; round <= countOf('spendingRounds'); round++) {
      let left = random.between(100, 300);
      const children = Array.from({ length: processes }, (_, i) =>
        startChild(script, [url, String(round * 10 + i), String(budgetTurns / 1e6)]),
      );
      const reading = children.map(async (child) => {
        for await (const said of child.messages<Spent>()) {
          if (said.did === 'spend') acknowledged += said.turns;
          if (said.did === 'refused') refused += 1;
          if (said.did !== 'open') left -= 1;
          if (left === 0) for (const each of children) each.kill();
        }
        expect(await child.ended).toEqual({ code: null, signal: 'SIGKILL', errors: '' });
      });
      await Promise.all(reading);
      expect(await faultsIn(url), `round ${round}`).toEqual([]);
      const { living, total } = await countTurns(url);
      // Each process may have been killed before it could say what its last commit did.
      const most = acknowledged + processes * batch;
      expect(total, `round ${round}`).toBeGreaterThanOrEqual(Math.max(acknowledged, living));
      expect(total, `round ${round}`).toBeLessThanOrEqual(most);
      // What the budget leaves room for is taken whole, and nothing after it.
      expect(total).toBeLessThan(budgetTurns + batch);
      acknowledged = total;
    }
    // The rest of the budget, to the turn.
    // What those who were killed on a cluster had reserved is free after five minutes.
    const clock = () => Date.now() + 300_000;
    const store = await openUrl(url, { clock, synchronous: 'normal' });
    const { manager } = await createSessions(
      { maxCostPerUser: budgetTurns / 1e6, maxSessionsPerUser: 100_000 },
      { store },
    );
    const { sessionId } = await manager.create({ userId: 'u' });
    const turn = { role: 'user', content: 'x', cost: 0.000_001 } as const;
    while (acknowledged < budgetTurns) {
      const size = Math.min(100, budgetTurns - acknowledged);
      await manager.addTurns(
        sessionId,
        Array.from({ length: size }, () => turn),
      );
      acknowledged += size;
    }
    await expect(manager.addTurn(sessionId, turn)).rejects.toMatchObject({
      limit: 'maxCostPerUser',
    });
    await store.close();
    expect((await countTurns(url)).total).toBe(acknowledged);
    // Rounds enough to spend all of it are run in full only.
    if (isFull) expect(refused).toBeGreaterThan(0);
  });
});

/** The turns that a report counts, and those that are there. */
async function countTurns(url: string): Promise<{ total: number; living: number }> {
  const store = await openUrl(url, { synchronous: 'normal' });
  const { analytics, manager } = await createSessions({}, { store });
  const first = await analytics.report({ groupBy: 'model' });
  const again = await analytics.report({ groupBy: 'user' });
  expect(again.total).toEqual(first.total);
  let living = 0;
  for (let cursor: string | undefined; ; ) {
    const page = await manager.list({ limit: 1_000, cursor });
    for (const { turnCount } of page.items) living += turnCount;
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  await store.close();
  return { total: first.total.turns, living };
}
