import {
  createSessions,
  InMemorySessionStore,
  type MemoryConsolidator,
  SessionMemory,
} from '@lexigram/ai-session';

const store = new InMemorySessionStore();

// #region consolidator
/** Stands for a model that is asked what to remember. */
const consolidator: MemoryConsolidator = {
  async consolidate(entries, { session, signal }) {
    const memories = [];
    for await (const { turn } of entries) {
      signal.throwIfAborted(); // overtaken, too slow, or the process is about to end
      const { content, role, seq } = turn;
      if (role === 'user' && String(content).startsWith('I ')) {
        memories.push({ content: `The user said: ${content}`, fromSeq: seq, toSeq: seq });
      }
    }
    return { memories, statistics: { turns: session.turnCount } };
  },
};
// #endregion

// #region close
await using sessions = await createSessions({}, { store, consolidator });
const { manager, memory } = sessions;
const { sessionId } = await manager.create({ userId: 'ada' });
await manager.addTurn(sessionId, { role: 'user', content: 'I like trains.' });
await manager.addTurn(sessionId, { role: 'assistant', content: 'Noted.' });
await manager.close(sessionId); // owes a consolidation, and sets it off in the background
// #endregion

// #region list
await sessions.cleanup.sweep(); // runs what is owed now, if the background has not
const { items } = await memory.list(sessionId);
for (const { content, fromSeq, toSeq, roles, trusted } of items) {
  console.log(content, `(turns ${fromSeq} to ${toSeq}, by ${roles}, trusted: ${trusted})`);
}
// #endregion

// #region failures
for (const { sessionId, attempts, lastError, dueAt } of (await memory.failures()).items) {
  console.error(`${sessionId} failed ${attempts} times: ${lastError?.message}; next at ${dueAt}`);
  await memory.consolidate(sessionId); // now, not then
}
// #endregion

const { sessionId: open } = await manager.create({ userId: 'ada' });
await manager.addTurn(open, { role: 'user', content: 'Which trains go to Rome?' });
await manager.addTurn(open, { role: 'user', content: 'And how is the weather?' });

// #region working
const entries = await memory.assemble(open, 'trains to Rome', 12); // at most 12 tokens
console.log(entries.map(({ turn }) => turn.content));
// #endregion

// #region worker
const worker = new SessionMemory({ store, config: sessions.config }, { consolidator });
const { done, failed } = await worker.consolidateOwed();
await worker.close();
// #endregion
console.log(done, failed);
