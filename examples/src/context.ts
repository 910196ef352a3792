import { createSessions } from '@lexigram/ai-session';

await using sessions = await createSessions();
const given = await sessions.manager.create({ userId: 'ada' });

async function answer(question: string): Promise<void> {
  const { sessionId } = sessions.context.state;
  await sessions.manager.addTurn(sessionId, { role: 'user', content: question });
}

// #region run
const { context, manager } = sessions;
await context.run(given.sessionId, async () => {
  await answer('Which trains go to Rome?'); // which reads context.state.sessionId
});
await context.run(null, async () => {
  const { sessionId } = await context.getOrCreate('ada'); // makes one, once for this scope
  await manager.addTurn(sessionId, { role: 'user', content: 'Hello!' });
});
// #endregion

// #region bind
const token = context.bind(given);
try {
  await answer('And back?');
} finally {
  context.unbind(token);
}
// #endregion
console.log((await manager.getState(given.sessionId)).turnCount, context.sessionId);
