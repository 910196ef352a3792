// In each round, writers that expect the same head add a turn at once.
import { createSessions } from '@lexigram/ai-session';
import { openPlace } from '../kit/open-place.ts';
import { errorFacts, hear, say } from './talk.ts';

/** A round: the head that all expect, and the writers of this process. */
export interface Round {
  readonly round: number;
  readonly head: {
    readonly timelineId: string;
    readonly seq: number;
    readonly turnId: string | null;
  };
  readonly writers: readonly string[];
}

/** What became of each writer. */
export type Outcome =
  | { readonly turnId: string; readonly head: Round['head'] }
  | { readonly turnId: string; readonly error: Record<string, unknown> };

const [path = '', sessionId = ''] = process.argv.slice(2);
const store = await openPlace(path);
const { manager } = await createSessions({ maxTurnsPerSession: 100_000 }, { store });
say({ did: 'open' });

for (;;) {
  const { head, round, writers } = await hear<Round>();
  const outcomes = await Promise.all(
    writers.map(async (writer): Promise<Outcome> => {
      const turnId = `${round}-${writer}`;
      try {
        const added = await manager.addTurn(
          sessionId,
          { turnId, role: 'user', content: writer },
          // Everything that a turn can bring: none of it may stay of one that lost.
          { expectedHead: head, variables: { [turnId]: true }, operationId: turnId },
        );
        return { turnId, head: added.head };
      } catch (error) {
        return { turnId, error: errorFacts(error) };
      }
    }),
  );
  say({ outcomes });
}
