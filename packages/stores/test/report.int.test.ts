import { createSessions, type Sessions } from '@lexigram/ai-session';
import { expect, it, onTestFinished } from 'vitest';
import { turnOf } from './kit/costed-turn.ts';
import { temporaryFolder } from './kit/folder.ts';
import { openUrl } from './kit/open-url.ts';
import { type Random, randomOf } from './kit/random.ts';
import { describeEach, type StoreOnTrial, sqliteOrAll } from './kit/stores-on-trial.ts';
import { countOf } from './scale.ts';

async function openAt(url: string): Promise<Sessions> {
  const store = await openUrl(url, { synchronous: 'normal' });
  onTestFinished(() => store.close());
  const config = { maxTurnsPerSession: 100_000, maxSessionsPerUser: 10_000 };
  return createSessions({ ...config, maxBranchesPerSession: 1_000 }, { store });
}

describeEach(sqliteOrAll, 'a report', (kind) => {
  it('agrees with a plain sum, whatever several processes write, move, fork, delete and report', async () => {
    for (let seed = 1; seed <= countOf('reportRuns'); seed++) await runAtRandom(kind, seed);
  });
});

/** Several connections do things in turn and at once; a number is kept beside them. */
async function runAtRandom(kind: StoreOnTrial, seed: number): Promise<void> {
  const random = randomOf(seed);
  const url = await kind.url(temporaryFolder());
  const opened = [await openAt(url), await openAt(url), await openAt(url)];
  const living: string[] = [];
  const spent = new Map<string, number>();
  let turns = 0;
  let n = 0;
  const note = (group: string, cost: number): void => {
    spent.set(group, (spent.get(group) ?? 0) + cost);
  };
  const add = async ({ manager }: Sessions, sessionId: string): Promise<void> => {
    n += 1;
    const own = n;
    const turn = turnOf(own);
    const { userId } = await manager.getState(sessionId);
    await manager.addTurn(sessionId, turn);
    turns += 1;
    note(`model ${turn.model}`, own);
    note(`user ${userId}`, own);
  };
  const steps: readonly ((sessions: Sessions) => Promise<void>)[] = [
    async ({ manager }) => {
      const { sessionId } = await manager.create({ userId: `u${random.between(1, 3)}` });
      living.push(sessionId);
    },
    async ({ branches }) => {
      const { sessionId } = await branches.fork(random.pick(living), 'b');
      living.push(sessionId);
    },
    async ({ manager }) => {
      await manager.rewind(random.pick(living), { toSeq: 0 });
    },
    async ({ manager }) => {
      if (living.length < 3) return;
      const [sessionId] = living.splice(random.between(0, living.length - 1), 1);
      await manager.delete(sessionId ?? '');
    },
    async ({ analytics }) => {
      await analytics.report({ groupBy: 'day' });
    },
    async ({ store }) => {
      await store.collect({ before: Date.now() + 1e6, limit: random.between(1, 20) });
    },
  ];
  await steps[0]?.(opened[0] as Sessions);
  for (let step = 1; step <= 60; step++) {
    const sessions = random.pick(opened);
    if (random.between(1, 100) <= 45) await add(sessions, random.pick(living));
    else if (random.between(1, 100) <= 25) {
      await Promise.all(opened.map((each) => add(each, random.pick(living))));
    } else await random.pick(steps)(sessions);
    if (step % 5 === 0) await expectSums(random, opened, spent, turns, `seed ${seed} step ${step}`);
  }
}

async function expectSums(
  random: Random,
  opened: readonly Sessions[],
  spent: ReadonlyMap<string, number>,
  turns: number,
  place: string,
): Promise<void> {
  const { analytics } = random.pick(opened);
  const found = new Map<string, number>();
  for (const groupBy of ['model', 'user'] as const) {
    const { items, total } = await analytics.report({ groupBy });
    expect(total.turns, place).toBe(turns);
    for (const { cost, key } of items) {
      found.set(`${groupBy} ${key}`, Math.round((cost ?? 0) * 1e9));
    }
  }
  expect(Object.fromEntries(found), place).toEqual(Object.fromEntries(spent));
}
