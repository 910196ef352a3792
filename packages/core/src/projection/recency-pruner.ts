import type { TurnDigest } from './digest-turn.ts';
import { type Candidates, ScoringContextPruner } from './scoring-pruner.ts';

/** The newest turns, without a gap: it ends at the first one that does not fit. */
export class RecencyContextPruner extends ScoringContextPruner {
  override readonly usesTerms = false;
  override readonly newestFirst = true;

  protected override digests(): readonly TurnDigest[] {
    return [];
  }

  protected override score({ weights }: Candidates): Float64Array {
    return Float64Array.from(weights, (_, i) => i);
  }
}
