import { createSessions, SessionCapacityError, type Sessions } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { describe, expect, it, onTestFinished } from 'vitest';
import { query } from './kit/database-rows.ts';
import { temporaryFile } from './kit/folder.ts';
import { randomOf } from './kit/random.ts';

/** Several connections to one file, as several processes have them; a turn costs a cent. */
async function openAll(
  path: string,
  count: number,
  maxCostPerUser: number | null,
): Promise<Sessions[]> {
  const opened: Sessions[] = [];
  for (let i = 0; i < count; i++) {
    const store = await SqliteSessionStore.open(path, { synchronous: 'normal' });
    onTestFinished(() => store.close());
    const config = { maxTurnsPerSession: 100_000, maxSessionsPerUser: 1_000, maxCostPerUser };
    opened.push(await createSessions(config, { store }));
  }
  return opened;
}

const cent = {
  role: 'assistant',
  content: 'x',
  model: 'm',
  usage: { inputTokens: 1 },
  cost: 0.01,
} as const;

describe("a user's budget over several connections", () => {
  it('is spent to the cent, on many sessions at once', async () => {
    const path = temporaryFile();
    const opened = await openAll(path, 4, 1);
    const random = randomOf(5);
    const ids: string[] = [];
    for (const { manager } of opened) {
      for (let i = 0; i < 3; i++) ids.push((await manager.create({ userId: 'u' })).sessionId);
    }
    const gone = ids.pop() ?? '';
    await opened[0]?.manager.addTurn(gone, cent);
    await opened[1]?.manager.delete(gone);
    let done = 1;
    let refused = 0;
    while (refused < 40) {
      const calls = Array.from({ length: random.between(1, 9) }, () =>
        random.pick(opened).manager.addTurn(random.pick(ids), cent),
      );
      for (const { reason, status } of (await Promise.allSettled(calls)) as {
        reason?: unknown;
        status: string;
      }[]) {
        if (status === 'fulfilled') done += 1;
        else {
          expect(reason).toBeInstanceOf(SessionCapacityError);
          refused += 1;
        }
      }
    }
    expect(done).toBe(100);
    const { total } = (await opened[2]?.analytics.report({ groupBy: 'day' })) ?? expect.fail();
    expect([total.turns, total.cost]).toEqual([100, 1]);
  });

  it('counts what was written before there was one, however much is not yet rolled up', async () => {
    const path = temporaryFile();
    const [free] = (await openAll(path, 1, null)) as [Sessions];
    const { sessionId } = await free.manager.create({ userId: 'u' });
    const batch = Array.from({ length: 100 }, () => cent);
    for (let i = 0; i < 25; i++) await free.manager.addTurns(sessionId, batch);
    expect(query(path, 'SELECT turn FROM ai_usage_until')).toEqual([{ turn: 0 }]);
    const [poor] = (await openAll(path, 1, 24.99)) as [Sessions];
    await expect(poor.manager.addTurn(sessionId, cent)).rejects.toMatchObject({ max: 24.99 });
    const [bound, other] = (await openAll(path, 2, 25.02)) as [Sessions, Sessions];
    await bound.manager.addTurn(sessionId, cent);
    await other.manager.addTurn(sessionId, cent);
    for (const { manager } of [bound, other]) {
      await expect(manager.addTurn(sessionId, cent)).rejects.toMatchObject({
        limit: 'maxCostPerUser',
        max: 25.02,
      });
    }
    // What a failed transaction would have spent is not spent.
    const { sessionId: own } = await bound.manager.create({ userId: 'v' });
    await bound.manager.addTurn(own, { ...cent, turnId: 'once' });
    const twice = [cent, { ...cent, turnId: 'once', content: 'other' }];
    await expect(bound.manager.addTurns(own, twice)).rejects.toMatchObject({ reason: 'turn' });
    const { totalCost } = await bound.analytics.user('v');
    expect(totalCost).toBe(0.01);
  });
});
