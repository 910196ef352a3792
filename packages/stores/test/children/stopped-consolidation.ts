// Consolidates the sessions that it is told of; in each it waits for a word, so that it can be stopped there.
import { type MemoryConsolidator, SessionMemory, type SessionStore } from '@lexigram/ai-session';
import { unfenced } from '../broken/unfenced-store.ts';
import { openUrl } from '../kit/open-url.ts';
import { errorFacts, hear, say } from './talk.ts';

const [url = '', leaseMs = '', twin] = process.argv.slice(2);
const below = await openUrl(url);
const store: SessionStore = twin === 'unfenced' ? unfenced(below) : below;
const consolidator: MemoryConsolidator = {
  leaseMs: Number(leaseMs),
  async consolidate() {
    say({ did: 'in' });
    await hear();
    return { memories: [{ content: 'stale', fromSeq: 1, toSeq: 1 }] };
  },
};
const memory = new SessionMemory({ store }, { consolidator });
say({ did: 'open' });
for (;;) {
  const { sessionId } = await hear<{ sessionId: string }>();
  const answer = await memory.consolidate(sessionId).then(
    ({ state }) => ({ state }),
    (error: unknown) => errorFacts(error),
  );
  say(answer);
}
