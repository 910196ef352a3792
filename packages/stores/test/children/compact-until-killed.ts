// Adds turns to a session, or sums it up again and again, and says what was done, until it is killed.
import { setTimeout } from 'node:timers/promises';
import { createSessions, SessionLeaseError } from '@lexigram/ai-session';
import { openUrl } from '../kit/open-url.ts';
import { summaryOf } from '../kit/summary-of.ts';
import { say } from './talk.ts';

/** What a process has done. */
export type Compacted =
  | { readonly did: 'open' }
  | { readonly did: 'turn'; readonly turnId: string }
  | { readonly did: 'summary'; readonly toSeq: number };

const [url = '', sessionId = '', name = '', part = ''] = process.argv.slice(2);
const store = await openUrl(url);
const config = { maxTurnsPerSession: 100_000, autoCheckpointInterval: null };
const { manager, projection } = await createSessions(config, { store });
say({ did: 'open' } satisfies Compacted);

for (let n = 1; ; n++) {
  if (part === 'write') {
    const turnId = `${name}-${n}`;
    await manager.addTurn(sessionId, { turnId, role: 'user', content: turnId });
    say({ did: 'turn', turnId } satisfies Compacted);
    await setTimeout(n % 5);
    continue;
  }
  try {
    const made = await projection.compact(sessionId, {
      keepLast: 3,
      leaseMs: 200,
      chunkTokens: 200,
      // A summary that tells which turns it saw.
      summarise: async ({ previous, turns }) => {
        await setTimeout(n % 7);
        return summaryOf(
          previous,
          turns.map(({ turnId }) => turnId),
        );
      },
    });
    if (made !== null) say({ did: 'summary', toSeq: made.toSeq } satisfies Compacted);
  } catch (error) {
    if (!(error instanceof SessionLeaseError)) throw error;
    await setTimeout(5);
  }
}
