import type { SessionTurn } from '../session/turn.ts';
import { digestTurn, type TurnDigest } from './digest-turn.ts';
import { type Candidate, ScoringContextPruner } from './scoring-pruner.ts';

/** The newest turns, without a gap: it ends at the first one that does not fit. */
export class RecencyContextPruner extends ScoringContextPruner {
  override readonly usesTerms = false;
  override readonly newestFirst = true;

  protected override digest(turn: SessionTurn): TurnDigest {
    return digestTurn(turn, () => 0);
  }

  protected override score(candidates: readonly Candidate[]): readonly number[] {
    return candidates.map((_, i) => i);
  }
}
