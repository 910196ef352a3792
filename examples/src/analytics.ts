import assert from 'node:assert/strict';
import { createSessions } from '@lexigram/ai-session';

await using sessions = await createSessions();
const { manager } = sessions;
const { sessionId } = await manager.create({ userId: 'ada' });
await manager.addTurn(sessionId, { role: 'user', content: 'Hello!' });
const spent = { usage: { inputTokens: 900, outputTokens: 100 }, cost: 0.25, model: 'some-model' };
await manager.addTurn(sessionId, { role: 'assistant', content: 'Hello.', ...spent });

// #region analytics
await manager.rewind(sessionId, { toSeq: 1 });
const report = await sessions.analytics.session(sessionId);
console.log(report.totalCost, report.lifetimeCost); // 0 0.25: the answer is left behind, and was paid
// #endregion
assert.deepEqual([report.totalCost, report.lifetimeCost], [0, 0.25]);
assert.deepEqual([report.totalTurns, report.lifetimeTurns], [1, 2]);
