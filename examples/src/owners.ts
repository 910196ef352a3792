import assert from 'node:assert/strict';
import { createSessions, SessionNotFoundError } from '@lexigram/ai-session';

await using sessions = await createSessions();

// #region owners
const ada = sessions.as({ tenantId: 'acme', userId: 'ada' });
const bob = sessions.as({ tenantId: 'acme', userId: 'bob' });
const { sessionId } = await ada.manager.create({ metadata: { topic: 'travel' } });
await bob.manager.getState(sessionId).catch((error) => {
  console.log(error.message); // Session not found: '…', the same as for an id that never was
});
const page = await ada.manager.list({ status: 'active', metadata: { topic: 'travel' } });
// #endregion
await assert.rejects(bob.manager.getState(sessionId), SessionNotFoundError);
assert.deepEqual(
  page.items.map((state) => state.sessionId),
  [sessionId],
);
