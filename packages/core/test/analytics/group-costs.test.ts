import { createSessions, openPrices } from '@lexigram/ai-session';
import { expect, it } from 'vitest';
import { InMemorySessionStore } from '../../src/store/memory.ts';
import { scripted } from '../groups/kit.ts';

const usage = { inputTokens: 1_000, outputTokens: 0 };

it('what agents say is priced, and a spent budget ends their run until it is raised', async () => {
  const prices = await openPrices({ models: { m: { input: 10, output: 0 } }, catalogue: false });
  const store = new InMemorySessionStore();
  const poor = await createSessions({ maxCostPerSession: 0.02 }, { store, prices });
  const { sessionId } = await poor.manager.create({ userId: 'ada' });
  const ann = scripted('ann', ({ step }) => ({ content: `step ${step}`, model: 'm', usage }));
  const run = poor.group().addAgent(ann);
  const ended = await run.run(sessionId, 'Hello', { maxSteps: 5 });
  expect(ended.reason).toBe('budget');
  expect(ended.state.totalCost).toBe(0.02);
  expect((await poor.analytics.report({ groupBy: 'agent' })).items).toMatchObject([
    { key: null, turns: 1, cost: 0 },
    { key: 'ann', turns: 2, cost: 0.02, unpricedTurns: 0 },
  ]);
  const begun = run.run(sessionId, 'And now?');
  await expect(begun).rejects.toMatchObject({ limit: 'maxCostPerSession' });

  const rich = await createSessions({ maxCostPerSession: 1 }, { store, prices });
  const again = await rich.group().addAgent(ann).resume(sessionId);
  expect([again.reason, again.state.totalCost]).toEqual(['steps', 0.05]);
});
