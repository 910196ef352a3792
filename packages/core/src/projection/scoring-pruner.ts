import type { SessionTurn } from '../session/turn.ts';
import type { TurnDigest } from './digest-turn.ts';
import { keepBest, openTask, type Room } from './keep-best.ts';
import type { PruneBudget, SyncContextPruner, TurnWeight } from './pruner.ts';

/** What a scoring pruner sees: a row of candidates, each of turns that stay or go together. */
export interface Candidates {
  readonly weights: readonly TurnWeight[];
  readonly digests: readonly (readonly TurnDigest[])[];
}

/** A pruner that needs no more of a turn than its digest, so that a history is chosen from without its text. */
export abstract class ScoringContextPruner implements SyncContextPruner {
  /** Whether digests must have their terms. */
  abstract readonly usesTerms: boolean;
  /** Whether it looks from the newest turn back only as far as its budget goes. */
  abstract readonly newestFirst: boolean;

  protected abstract digests(turn: SessionTurn): readonly TurnDigest[];
  protected abstract score(candidates: Candidates, query: string, room: Room): ArrayLike<number>;

  /** The indexes of what fits. */
  choose(candidates: Candidates, query: string, room: Room): ReadonlySet<number> {
    const scores = this.score(candidates, query, room);
    return keepBest(candidates.weights, scores, room, this.newestFirst ? 'stop' : 'skip');
  }

  prune(
    history: readonly SessionTurn[],
    query: string,
    budget: PruneBudget,
  ): readonly SessionTurn[] {
    const task = openTask(history, budget);
    const { others, weights } = task;
    const candidates = { weights, digests: others.map((turn) => this.digests(turn)) };
    return task.keep(this.choose(candidates, query, task.room));
  }
}
