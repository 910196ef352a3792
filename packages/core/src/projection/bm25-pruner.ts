import { SessionInputError } from '../errors.ts';
import { kindOf } from '../session/ids.ts';
import { checkOptions } from '../session/options.ts';
import type { SessionTurn } from '../session/turn.ts';
import { digestTurn, type TurnDigest } from './digest-turn.ts';
import { keepBest, openTask, type Room } from './keep-best.ts';
import {
  ascending,
  scoreHits,
  scoreWindows,
  type WindowSettings,
  windowSettings,
} from './lexical/score-windows.ts';
import { bagOf, queryTerms } from './lexical/terms.ts';
import { TurnIndex } from './lexical/turn-index.ts';
import type { PruneBudget } from './pruner.ts';
import { type Candidates, ScoringContextPruner } from './scoring-pruner.ts';

const known = new WeakMap<SessionTurn, readonly [TurnDigest]>();

/** A turn's digest with its terms, made once for each turn object; what it costs is told by its weight. */
export function digestTerms(turn: SessionTurn): readonly [TurnDigest] {
  let digests = known.get(turn);
  if (digests === undefined) {
    const bag = bagOf(turn);
    digests = [{ ...digestTurn(turn, () => 0), ...bag, end: bag.terms.length }];
    known.set(turn, digests);
  }
  return digests;
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

  protected override digests(turn: SessionTurn): readonly TurnDigest[] {
    return digestTerms(turn);
  }

  protected override score(candidates: Candidates, query: string, room: Room): Float64Array {
    return scoreWindows(candidates, queryTerms(query), this.#settingsFor(room));
  }

  override prune(
    history: readonly SessionTurn[],
    query: string,
    budget: PruneBudget,
  ): readonly SessionTurn[] {
    const { keep, others, room, weights } = openTask(history, budget);
    const hits = TurnIndex.of(others).hits(ascending(queryTerms(query)), others.length);
    const scores = scoreHits(hits, weights, others.length, this.#settingsFor(room));
    return keep(keepBest(weights, scores, room));
  }

  /**
   * How much each turn has to do with a query: 0 or more, in the order of the turns. Where each term is, is kept
   * with the turns.
   */
  scores(turns: readonly SessionTurn[], query: string): Float64Array {
    const index = TurnIndex.of(turns);
    const hits = index.hits(ascending(queryTerms(query)), turns.length);
    return scoreHits(hits, index.weights, turns.length, { ...this.#settings, brevity: 0 });
  }

  /** Where no tokens are counted, a short turn takes as much room as a long one. */
  #settingsFor({ tokens }: Room): WindowSettings {
    return tokens < Number.POSITIVE_INFINITY ? this.#settings : { ...this.#settings, brevity: 0 };
  }
}
