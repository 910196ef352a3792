import type { SessionTurn } from '../session/turn.ts';
import { keepBest, openTask } from './keep-best.ts';
import type { PruneBudget, SyncContextPruner } from './pruner.ts';
import { searchText } from './shown.ts';

/**
 * Words shared with the query, plus 0.3 × recency, which is 0 for the oldest turn and 1 for the newest. Words
 * are runs of letters, digits and underscores, whatever their case, and each counts once.
 */
export class RelevanceContextPruner implements SyncContextPruner {
  prune(
    history: readonly SessionTurn[],
    query: string,
    budget: PruneBudget,
  ): readonly SessionTurn[] {
    const task = openTask(history, budget);
    return task.keep(keepBest(task.weights, relevance(task.others, query), task.room));
  }
}

/** The score of each turn, in the order of the turns. */
function relevance(turns: readonly SessionTurn[], query: string): readonly number[] {
  const asked = wordsOf(query);
  const newest = turns.length - 1;
  return turns.map((turn, i) => {
    let shared = 0;
    const said = wordsOf(searchText(turn));
    for (const word of asked) if (said.has(word)) shared += 1;
    return shared + 0.3 * (newest > 0 ? i / newest : 1);
  });
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}_]+/gu));
}
