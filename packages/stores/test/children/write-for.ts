// Writes as fast as it can for a while, and tells how much that was and how long its event loop stood still.
import { createSessions } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { type Standstill, watchEventLoop } from '../kit/event-loop.ts';
import { errorFacts, hear, leave, say } from './talk.ts';

/** What a process did. */
export interface Written extends Standstill {
  readonly turns: number;
  readonly errors: readonly Record<string, unknown>[];
}

const [path = '', name = '', callers] = process.argv.slice(2);
const store = await SqliteSessionStore.open(path);
const { manager } = await createSessions({ maxTurnsPerSession: 1_000_000 }, { store });
const ids = Array.from({ length: Number(callers) }, (_, i) => `${name}${i}`);
for (const sessionId of ids) await manager.create({ userId: sessionId, sessionId });
say({ did: 'open' });
const { ms } = await hear<{ ms: number }>();

const end = performance.now() + ms;
let turns = 0;
const errors: Record<string, unknown>[] = [];
const stop = watchEventLoop();
await Promise.all(
  ids.map(async (sessionId) => {
    while (performance.now() < end) {
      try {
        await manager.addTurn(sessionId, { role: 'user', content: 'c'.repeat(600) });
        turns += 1;
      } catch (error) {
        errors.push(errorFacts(error));
      }
    }
  }),
);
say({ turns, errors, ...stop() } satisfies Written);
await store.close();
leave();
