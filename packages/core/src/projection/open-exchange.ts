import { isVisible } from '../session/is-visible.ts';
import type { SessionTurn } from '../session/turn.ts';
import { partsOf, speaks, textOf } from './shown.ts';

/** What the conversation is about just now. */
export interface OpenExchange {
  readonly query: string;
  /** The seq of the user's turn that waits for an answer, or was answered last; null if the query is another. */
  readonly from: number | null;
}

/**
 * The newest turn of the user among these, if it is what the query asks, or if nothing is asked; null if there is
 * none among them.
 */
export function findExchange(
  turns: readonly SessionTurn[],
  viewer: string | undefined,
  query: string | undefined,
): OpenExchange | null {
  const last = turns.findLast(
    (turn) => turn.role === 'user' && isVisible(turn, viewer) && partsOf(turn).some(speaks),
  );
  if (last === undefined) return null;
  const said = partsOf(last).filter(speaks).map(textOf).join('\n\n');
  const same = query === undefined || query.trim() === said.trim();
  return same ? { query: said, from: last.seq } : { query, from: null };
}
