import { SessionInputError } from '../errors.ts';
import { kindOf } from '../session/ids.ts';
import { checkOptions } from '../session/options.ts';
import type { SessionTurn } from '../session/turn.ts';
import { digestTurn, type TurnDigest } from './digest-turn.ts';
import type { Room } from './keep-best.ts';
import { scoreWindows, type WindowSettings, windowSettings } from './lexical/score-windows.ts';
import { queryTerms, termsOf } from './lexical/terms.ts';
import { type Candidate, ScoringContextPruner } from './scoring-pruner.ts';

/** A turn's digest with its terms; what it costs is told by its weight. */
export function digestTerms(turn: SessionTurn): TurnDigest {
  const terms = termsOf(turn);
  return { ...digestTurn(turn, () => 0), terms, end: terms.length };
}

/**
 * Finds by words: BM25 over the conversation around each turn, fading with distance, so that a hit lifts the turns
 * around it. English words are stemmed; Chinese, Japanese and the like are parted into words. Needs no model.
 */
export class Bm25ContextPruner extends ScoringContextPruner {
  override readonly usesTerms = true;
  override readonly newestFirst = false;
  readonly #settings: WindowSettings;

  /** @throws SessionInputError */
  constructor(settings?: Partial<WindowSettings>) {
    super();
    const given = checkOptions(settings, Object.keys(windowSettings));
    for (const [name, value] of Object.entries(given)) {
      if (value === undefined || (Number.isFinite(value) && (value as number) >= 0)) continue;
      throw new SessionInputError(`options.${name}`, `expected 0 or more, got ${kindOf(value)}`);
    }
    this.#settings = { ...windowSettings, ...settings };
  }

  protected override digest(turn: SessionTurn): TurnDigest {
    return digestTerms(turn);
  }

  protected override score(
    candidates: readonly Candidate[],
    query: string,
    room: Room,
  ): Float64Array {
    const terms = new Map(queryTerms(query).map((term) => [term, 1]));
    const settings = this.#settings;
    const counted = room.tokens < Number.POSITIVE_INFINITY;
    return scoreWindows(candidates, terms, counted ? settings : { ...settings, brevity: 0 });
  }
}
