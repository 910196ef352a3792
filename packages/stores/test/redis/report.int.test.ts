import { createSessions } from '@lexigram/ai-session';
import { expect, it } from 'vitest';
import { ownRedisUrl } from '../kit/open-redis.ts';
import { clientOf, storeAt } from '../kit/redis-of-test.ts';

it('turns that four stores write while all of them report are each counted once', async () => {
  const url = await ownRedisUrl();
  const stores = await Promise.all([1, 2, 3, 4].map(() => storeAt(url)));
  const config = { sessionTtl: 0, maxTurnsPerSession: 100_000, maxSessionsPerUser: 10_000 };
  const all = await Promise.all(stores.map((store) => createSessions(config, { store })));
  let written = 0;
  await Promise.all(
    all.map(async ({ analytics, manager }, s) => {
      const { sessionId } = await manager.create({ userId: `u${s % 2}` });
      for (let n = 1; n <= 300; n++) {
        const toolCalls = n % 3 === 0 ? [{ id: 'c', name: `t${n % 2}`, arguments: {} }] : [];
        const turn = { role: 'assistant', content: 'x', model: `m${n % 2}`, cost: 1e-6 } as const;
        await manager.addTurn(sessionId, { ...turn, toolCalls });
        written += 1;
        if (n % 20 !== 0) continue;
        const before = written;
        const { total } = await analytics.report({ groupBy: 'user' });
        // What was acknowledged before the question is in the answer, and nothing twice.
        expect(total.turns).toBeGreaterThanOrEqual(before);
        expect(total.turns).toBeLessThanOrEqual(written + all.length);
      }
    }),
  );
  for (const groupBy of ['day', 'model', 'user', 'tool'] as const) {
    const { total } = await (all[0] as (typeof all)[0]).analytics.report({ groupBy });
    expect([total.turns, total.cost]).toEqual([1_200, 1_200e-6]);
  }
  const client = await clientOf(url);
  expect(await client.lLen(`${new URL(url).searchParams.get('prefix')}{.}:usage:waiting`)).toBe(0);
});

it('what waits to be added up never grows long, though nobody asks for a report', async () => {
  const url = await ownRedisUrl();
  const store = await storeAt(url);
  const config = { sessionTtl: 0, maxTurnsPerSession: 100_000 };
  const { analytics, manager } = await createSessions(config, { store });
  const { sessionId } = await manager.create({ userId: 'u' });
  const client = await clientOf(url);
  const waiting = `${new URL(url).searchParams.get('prefix')}{.}:usage:waiting`;
  let longest = 0;
  for (let n = 1; n <= 1_200; n++) {
    await manager.addTurn(sessionId, { role: 'user', content: 'x' });
    if (n % 50 === 0) longest = Math.max(longest, await client.lLen(waiting));
  }
  expect(longest).toBeGreaterThan(0);
  expect(longest).toBeLessThan(1_000);
  expect((await analytics.report({ groupBy: 'user' })).total.turns).toBe(1_200);
});
