import type { SessionTurn } from '../session/turn.ts';
import { searchText } from './shown.ts';

const merged = new WeakMap<SessionTurn, { turns: readonly SessionTurn[]; as: SessionTurn }>();

/**
 * Calls and their results as one turn, for pruners that judge turns one by one. The same turns are answered with
 * the same object, so that what a pruner keeps for a turn it keeps for them.
 */
export function mergedTurn(turns: readonly SessionTurn[]): SessionTurn {
  const [first] = turns;
  if (first === undefined) throw new RangeError('No turns to merge');
  if (turns.length === 1) return first;
  const known = merged.get(first);
  if (known?.turns.length === turns.length && known.turns.every((turn, i) => turn === turns[i])) {
    return known.as;
  }
  const { metadata: _, toolCalls: __, ...kept } = first;
  const as = Object.freeze({ ...kept, content: turns.map(searchText).join('\n') });
  merged.set(first, { turns, as });
  return as;
}
