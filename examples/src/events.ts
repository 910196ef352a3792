import { createSessions, type SessionClosedHook } from '@lexigram/ai-session';

await using sessions = await createSessions({
  backend: 'database',
  database: { url: 'sqlite:sessions.db' },
});
const { events, manager } = sessions;

// #region on
const remove = events.on('turn', ({ sessionId, turn }) => {
  console.log(`${sessionId}: ${turn.role} said something at seq ${turn.seq}`);
});
const archive: SessionClosedHook = async ({ reason, sessionId, status }) => {
  console.log(`${sessionId} is ${status}, reason ${reason}`); // what it throws is reported
};
events.on('closed', archive);
events.onListenerError(({ error, reason }) => console.error('a listener', reason, error));
// #endregion

const { sessionId } = await manager.create({ userId: 'ada', sessionId: 'trip' });

// #region subscribe
const subscription = events.subscribe({ sessionId });
const begin = await subscription.start; // nothing that is committed from here on is missed
await manager.addTurn(sessionId, { role: 'user', content: 'Which trains go to Rome?' });
await manager.close(sessionId, { reason: 'answered' });

let cursor = begin;
for await (const event of subscription) {
  cursor = event.cursor; // keep it where it survives this process
  if (event.type === 'closed') break;
}
// #endregion
remove();

// #region resume
const later = events.subscribe({ sessionId, after: begin });
for await (const event of later) {
  if (event.type === 'reset') {
    // Something in between is no longer told: read anew what you keep.
    await manager.getState(sessionId, { turns: 'all' });
  } else if (event.type === 'turn') {
    console.log(event.turn.content);
  }
  if (event.cursor === cursor) break;
}
// #endregion

// #region owner
const ada = sessions.as({ userId: 'ada' });
const stop = new AbortController();
const own = ada.events.subscribe({ signal: stop.signal });
await own.start;
await ada.manager.delete(sessionId);
for await (const { type } of own) {
  console.log(type); // deleted
  break;
}
stop.abort();
// #endregion
