// Adds turns of several callers at once, each on a session of its own, and says which were acknowledged.
import { createSessions } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { errorFacts, hear, leave, say } from './talk.ts';

const [path = '', synchronous, callers, turns] = process.argv.slice(2);
const store = await SqliteSessionStore.open(path, {
  synchronous: synchronous === 'normal' ? 'normal' : undefined,
});
const { manager } = await createSessions({ maxTurnsPerSession: 100_000 }, { store });
const ids = Array.from({ length: Number(callers) }, (_, i) => `s${i + 1}`);
for (const sessionId of ids) await manager.create({ userId: sessionId, sessionId });
say({ did: 'open' });
await hear();

await Promise.all(
  ids.map(async (sessionId) => {
    for (let n = 1; n <= Number(turns); n++) {
      const turnId = `${sessionId}-${n}`;
      try {
        await manager.addTurn(sessionId, { turnId, role: 'user', content: 'c'.repeat(600) });
        say({ acknowledged: turnId });
      } catch (error) {
        say({ failed: turnId, error: errorFacts(error) });
      }
    }
  }),
);
await store.close();
leave();
