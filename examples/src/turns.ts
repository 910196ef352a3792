import assert from 'node:assert/strict';
import { createSessions, isSessionError, SessionConflictError } from '@lexigram/ai-session';

await using sessions = await createSessions();
const { manager } = sessions;

// #region add
const { sessionId } = await manager.create({ userId: 'ada', systemPrompt: 'Answer in one line.' });
const asked = await manager.addTurn(sessionId, {
  role: 'user',
  content: 'Which trains go to Rome?',
});
await manager.addTurns(sessionId, [
  {
    role: 'assistant',
    content: '',
    model: 'some-model',
    toolCalls: [{ id: 'call-1', name: 'find_trains', arguments: '{"to":"Rome"}' }],
    usage: { inputTokens: 310, outputTokens: 24 },
    cost: 0.00129,
  },
  { role: 'tool', toolCallId: 'call-1', name: 'find_trains', content: '["08:10", "09:40"]' },
]);
// #endregion
assert.equal(asked.seq, 2);
const state = await manager.getState(sessionId);
assert.deepEqual([state.turnCount, state.totalTokens, state.totalCost], [4, 334, 0.00129]);

// #region repeat
const turn = { turnId: 'answer-1', role: 'assistant', content: 'At 08:10 and 09:40.' } as const;
const first = await manager.addTurn(sessionId, turn); // first.duplicate is false
const again = await manager.addTurn(sessionId, turn); // again.duplicate is true, nothing was written
// #endregion
assert.deepEqual([first.duplicate, again.duplicate], [false, true]);
assert.equal(first.seq, again.seq);

// #region expected
const { head } = await manager.getState(sessionId);
const reply = { role: 'user', content: 'The later one.' } as const;
try {
  await manager.addTurn(sessionId, reply, { expectedHead: head });
} catch (error) {
  if (!(error instanceof SessionConflictError) || error.reason !== 'head') throw error;
  // Somebody else was faster: read on from error.head, then decide again.
}
// #endregion
await assert.rejects(manager.addTurn(sessionId, reply, { expectedHead: head }), { reason: 'head' });

// #region variables
await manager.addTurn(
  sessionId,
  { role: 'assistant', content: 'Booked: 09:40.' },
  { variables: { train: '09:40', seats: 1 }, unset: ['draft'] },
);
await manager.setVariables(sessionId, { seats: 2 });
// #endregion
const { variables } = await manager.getState(sessionId);
assert.deepEqual(variables, { train: '09:40', seats: 2 });

// #region read
for await (const { content, role, seq } of manager.turns(sessionId, { order: 'desc', limit: 20 })) {
  console.log(seq, role, content);
}
const { turns } = await manager.getState(sessionId, { turns: 2 }); // the last two
// #endregion
assert.deepEqual(
  turns.map(({ content }) => content),
  ['The later one.', 'Booked: 09:40.'],
);

// #region operation
const operationId = 'request-7f3a';
const once = await manager.suspend(sessionId, { operationId });
const twice = await manager.suspend(sessionId, { operationId }); // answered as before
// #endregion
assert.equal(once.revision, twice.revision);

// #region errors
try {
  await manager.addTurn(sessionId, { role: 'user', content: 'Hello?' });
} catch (error) {
  if (!isSessionError(error)) throw error;
  console.log(error.code, error.message); // LEX_ERR_SES_011 Invalid transition for session …
}
// #endregion
