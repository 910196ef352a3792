import {
  createSessions,
  InMemorySessionStore,
  SessionCleanupScheduler,
} from '@lexigram/ai-session';

let now = Date.now();
const store = new InMemorySessionStore({ clock: () => now });

// #region configure
await using sessions = await createSessions(
  {
    sessionTtl: 3_600, // an hour after its last change a session has run out
    retention: 30 * 86_400, // and 30 days after that it is deleted
    cleanupIntervalS: 60,
  },
  { store },
);
// #endregion
const { sessionId } = await sessions.manager.create({ userId: 'ada' });
now += 3_600_000;

// #region sweep
const report = await sessions.cleanup.sweep();
console.log(`${report.expired} expired, ${report.purged} purged`);
for (const { sessionId, error } of report.failures) console.error(sessionId, error);
// #endregion

// #region own
await sessions.cleanup.stop(); // leaves it to another process
const cleanup = new SessionCleanupScheduler(
  { store, config: sessions.config },
  { onFailure: ({ task, error }) => console.error(task, error) },
);
cleanup.start();
// #endregion
await cleanup.stop();
console.log((await sessions.manager.getState(sessionId)).status);
