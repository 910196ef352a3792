import type { SessionTurn } from '../session/turn.ts';
import type { TurnDigest } from './digest-turn.ts';
import { keepBest, openTask, type Room } from './keep-best.ts';
import type { PruneBudget, SyncContextPruner, TurnWeight } from './pruner.ts';

/** What a scoring pruner sees of turns that stay or go together. */
export interface Candidate extends TurnWeight {
  readonly digests: readonly TurnDigest[];
}

/** A pruner that needs no more of a turn than its digest, so that a history is chosen from without its text. */
export abstract class ScoringContextPruner implements SyncContextPruner {
  /** Whether digests must have their terms. */
  abstract readonly usesTerms: boolean;
  /** Whether it looks from the newest turn back only as far as its budget goes. */
  abstract readonly newestFirst: boolean;

  protected abstract digest(turn: SessionTurn): TurnDigest;
  protected abstract score(
    candidates: readonly Candidate[],
    query: string,
    room: Room,
  ): ArrayLike<number>;

  /** The indexes of what fits. */
  choose(candidates: readonly Candidate[], query: string, room: Room): ReadonlySet<number> {
    const scores = this.score(candidates, query, room);
    return keepBest(candidates, scores, room, this.newestFirst ? 'stop' : 'skip');
  }

  prune(
    history: readonly SessionTurn[],
    query: string,
    budget: PruneBudget,
  ): readonly SessionTurn[] {
    const task = openTask(history, budget);
    const candidates = task.others.map((turn, i) => ({
      ...(task.weights[i] as TurnWeight),
      digests: [this.digest(turn)],
    }));
    return task.keep(this.choose(candidates, query, task.room));
  }
}
