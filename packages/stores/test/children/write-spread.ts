// Eight writers add turns to shared sessions, each in order, and say which seqs they were given.
import { createSessions } from '@lexigram/ai-session';
import { openPlace } from '../kit/open-place.ts';
import { randomOf } from '../kit/random.ts';
import { errorFacts, hear, leave, say } from './talk.ts';

/** What one writer was told: session, seq, and its own count there. */
export type Written = readonly [sessionId: string, seq: number, n: number];

const [place = '', name = '', seed = '', count = '', ...ids] = process.argv.slice(2);
const store = await openPlace(place);
const { manager } = await createSessions({ maxTurnsPerSession: 100_000 }, { store });
const random = randomOf(Number(seed));
const [hot = ''] = ids;
say({ did: 'open' });
await hear();
let left = Number(count);

async function write(writer: string): Promise<readonly Written[]> {
  const written: Written[] = [];
  const counts = new Map<string, number>();
  while (left > 0) {
    left -= 1;
    const sessionId = random.between(1, 4) === 1 ? hot : random.pick(ids);
    const n = (counts.get(sessionId) ?? 0) + 1;
    counts.set(sessionId, n);
    const turn = { role: 'user', content: `${writer} ${n}` } as const;
    const { seq } = await manager.addTurn(sessionId, turn);
    written.push([sessionId, seq, n]);
  }
  return written;
}

const writers = Array.from({ length: 8 }, (_, i) => `${name}${i}`);
try {
  const written = await Promise.all(writers.map(write));
  say({ written: Object.fromEntries(writers.map((writer, i) => [writer, written[i]])) });
} catch (error) {
  say({ error: errorFacts(error) });
}
await store.close();
leave();
