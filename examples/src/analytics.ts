import assert from 'node:assert/strict';
import { createSessions, SessionCapacityError } from '@lexigram/ai-session';

await using plain = await createSessions();
const { sessionId } = await plain.manager.create({ userId: 'ada' });
await plain.manager.addTurn(sessionId, { role: 'user', content: 'Hello!' });
const spent = { usage: { inputTokens: 900, outputTokens: 100 }, cost: 0.25, model: 'some-model' };
await plain.manager.addTurn(sessionId, { role: 'assistant', content: 'Hello.', ...spent });

// #region analytics
await plain.manager.rewind(sessionId, { toSeq: 1 });
const one = await plain.analytics.session(sessionId);
console.log(one.totalCost, one.lifetimeCost); // 0 0.25: the answer is left behind, and was paid
// #endregion
assert.deepEqual([one.totalCost, one.lifetimeCost], [0, 0.25]);
assert.deepEqual([one.totalTurns, one.lifetimeTurns], [1, 2]);

// #region prices
await using sessions = await createSessions(
  { maxCostPerSession: 0.05, maxCostPerUser: 10 },
  { prices: { models: { 'our-model': { input: 2, output: 8, cacheRead: 0.2 } } } },
);
const { analytics, manager } = sessions;
const { sessionId: talk } = await manager.create({ userId: 'ada' });
const { turn } = await manager.addTurn(talk, {
  role: 'assistant',
  content: 'Take the 08:10.',
  model: 'our-model',
  usage: { inputTokens: 10_000, outputTokens: 500, cacheReadTokens: 8_000 },
  toolCalls: [{ id: 'call-1', name: 'find_trains', arguments: '{"to":"Rome"}' }],
});
console.log(turn.cost); // 0.0096: 2,000 × 2 + 8,000 × 0.2 + 500 × 8 millionths of a dollar
// #endregion
assert.equal(turn.cost, 0.0096);

await manager.addTurn(talk, {
  role: 'assistant',
  content: 'Or the 09:40.',
  model: 'an-unheard-of-model',
  usage: { inputTokens: 900, outputTokens: 100 },
});

// #region report
const report = await analytics.report({
  groupBy: 'model',
  from: new Date().toISOString().slice(0, 10),
});
for (const { cost, key, totalTokens, turns } of report.items) {
  console.log(key, turns, totalTokens, cost ?? 'no price');
}
console.log(report.total.cost, report.unpriced); // 0.0096 [ { model: 'an-unheard-of-model', turns: 1 } ]
// #endregion
assert.equal(report.total.cost, 0.0096);
assert.deepEqual(report.unpriced, [{ model: 'an-unheard-of-model', turns: 1 }]);

// #region user
const ada = await analytics.user('ada');
console.log(ada.activeSessions, ada.averageTurns, ada.totalCost); // 1 2 0.0096
// #endregion
assert.deepEqual([ada.activeSessions, ada.averageTurns, ada.totalCost], [1, 2, 0.0096]);

// #region cost
const planned = { model: 'gpt-4o', usage: { inputTokens: 12_000, outputTokens: 800 } };
const { cost, unpriced } = await analytics.cost([planned, { ...planned, model: 'who-knows' }]);
console.log(cost, unpriced); // null [ { model: 'who-knows', turns: 1 } ]
// #endregion
assert.deepEqual([cost, unpriced], [null, [{ model: 'who-knows', turns: 1 }]]);
assert.equal((await analytics.cost(planned)).cost, 0.038);

// #region budget
await manager.addTurn(talk, { role: 'assistant', content: 'A long answer.', cost: 0.06 });
await manager.addTurn(talk, { role: 'user', content: 'And then?' }).catch((error) => {
  if (!(error instanceof SessionCapacityError)) throw error;
  console.log(error.limit, error.max); // maxCostPerSession 0.05: it was spent by the turn before
});
// #endregion
assert.equal((await manager.getState(talk)).turnCount, 3);
