import assert from 'node:assert/strict';
import { backup, DatabaseSync } from 'node:sqlite';
import { createSessions, SessionStoreUnavailableError } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';

// #region durability
const fast = await createSessions({
  backend: 'database',
  database: { url: 'sqlite:fast.db', synchronous: 'normal' },
});
// #endregion
const { sessionId } = await fast.manager.create({ userId: 'ada' });
await fast.close();

// #region store
const store = await SqliteSessionStore.open('fast.db', {
  synchronous: 'full',
  lockTimeoutMs: 2_000,
});
const sessions = await createSessions({}, { store });
// #endregion
assert.equal((await sessions.manager.getState(sessionId)).userId, 'ada');

// #region backup
const source = new DatabaseSync('fast.db', { readOnly: true });
await backup(source, 'copy.db'); // while sessions go on writing
source.close();
// #endregion
const copy = await createSessions({ backend: 'database', database: { url: 'sqlite:copy.db' } });
assert.equal((await copy.manager.getState(sessionId)).userId, 'ada');
await copy.close();

// #region unavailable
try {
  await sessions.manager.addTurn(sessionId, { role: 'user', content: 'Hello!' });
} catch (error) {
  if (!(error instanceof SessionStoreUnavailableError)) throw error;
  console.log(error.reason); // closed, locked, full, read_only, io or unreachable
}
// #endregion
await sessions.close(); // a store that was given stays open
await store.close();
