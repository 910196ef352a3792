// Adds turns to one session, one after the other, when the test says so.
import { createSessions } from '@lexigram/ai-session';
import { openPlace } from '../kit/open-place.ts';
import { errorFacts, hear, leave, say } from './talk.ts';

const [path = '', sessionId = '', name = '', count] = process.argv.slice(2);
const store = await openPlace(path);
const { manager } = await createSessions({ maxTurnsPerSession: 100_000 }, { store });
say({ did: 'open' });
await hear();
try {
  const seqs: number[] = [];
  for (let n = 1; n <= Number(count); n++) {
    const turn = { turnId: `${name}-${n}`, role: 'user', content: `${name} ${n}` } as const;
    seqs.push((await manager.addTurn(sessionId, turn)).seq);
  }
  say({ seqs });
} catch (error) {
  say({ error: errorFacts(error) });
}
await store.close();
leave();
