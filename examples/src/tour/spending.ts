import type { Sessions } from '@lexigram/ai-session';
import { type Column, drawTable } from './draw-table.ts';
import { tourUser } from './import-conversations.ts';
import type { Look } from './screen.ts';
import { usd, whole } from './text.ts';

/** What the conversations of one kind and one source add up to; each turn counts once. */
export interface Spending {
  readonly kind: string;
  readonly source: string;
  readonly sessions: number;
  readonly branches: number;
  readonly turns: number;
  readonly tokens: number;
  readonly cost: number;
}

/** The spending of all imported conversations, those that cost most first. */
export async function readSpending({ analytics, manager }: Sessions): Promise<Spending[]> {
  const groups = new Map<string, Spending>();
  for (let cursor: string | undefined; ; ) {
    const page = await manager.list({ userId: tourUser, limit: 200, cursor });
    for (const { metadata, parentSessionId, sessionId } of page.items) {
      const kind = String(metadata['kind'] ?? 'unknown');
      const source = String(metadata['source'] ?? 'unknown');
      // It tells an imported conversation a second time.
      if (kind === 'life') continue;
      const { lifetimeCost, lifetimeTokens, lifetimeTurns } = await analytics.session(sessionId);
      const key = JSON.stringify([kind, source]);
      const sum = groups.get(key);
      const isBranch = parentSessionId !== null;
      groups.set(key, {
        kind,
        source,
        sessions: (sum?.sessions ?? 0) + (isBranch ? 0 : 1),
        branches: (sum?.branches ?? 0) + (isBranch ? 1 : 0),
        turns: (sum?.turns ?? 0) + lifetimeTurns,
        tokens: (sum?.tokens ?? 0) + lifetimeTokens,
        cost: (sum?.cost ?? 0) + lifetimeCost,
      });
    }
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  return [...groups.values()].sort(
    (a, b) => b.cost - a.cost || b.tokens - a.tokens || b.turns - a.turns,
  );
}

const columns: readonly Column[] = [
  { title: 'kind', min: 11 },
  { title: 'source', min: 11, leaveOut: 2 },
  { title: 'sessions', align: 'right', leaveOut: 3 },
  { title: 'branches', align: 'right', leaveOut: 4 },
  { title: 'turns', align: 'right', leaveOut: 1 },
  { title: 'tokens', align: 'right' },
  { title: 'USD', align: 'right' },
];

/** The table of what was used and paid. A dash stands where the source does not say. */
export function drawSpending(spending: readonly Spending[], look: Look): string[] {
  const known = (value: number, text: string): string => (value === 0 ? '–' : text);
  const cells = ({ branches, cost, kind, sessions, source, tokens, turns }: Spending) => [
    kind.replaceAll('_', ' '),
    // The whole name is in the sessions' metadata.
    source.slice(source.lastIndexOf('/') + 1),
    whole(sessions),
    known(branches, whole(branches)),
    whole(turns),
    known(tokens, whole(tokens)),
    known(cost, usd(cost)),
  ];
  const sum = (of: (each: Spending) => number): number =>
    spending.reduce((total, each) => total + of(each), 0);
  const foot = cells({
    kind: 'all',
    source: '',
    sessions: sum((each) => each.sessions),
    branches: sum((each) => each.branches),
    turns: sum((each) => each.turns),
    tokens: sum((each) => each.tokens),
    cost: sum((each) => each.cost),
  });
  return drawTable({ columns, rows: spending.map(cells), foot }, look);
}
