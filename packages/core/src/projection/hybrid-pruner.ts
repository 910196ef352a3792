import { SessionInputError } from '../errors.ts';
import { kindOf } from '../session/ids.ts';
import { checkOptions } from '../session/options.ts';
import type { SessionTurn } from '../session/turn.ts';
import { keepBest, openTask } from './keep-best.ts';
import { ascending, scoreHits, windowSettings } from './lexical/score-windows.ts';
import { queryTerms } from './lexical/terms.ts';
import { TurnIndex } from './lexical/turn-index.ts';
import type { ContextPruner, PruneBudget } from './pruner.ts';
import { scoreMeaning } from './semantic/score-meaning.ts';
import type { VectorCache } from './semantic/vector-cache.ts';
import { openVectors, type SemanticOptions } from './semantic-pruner.ts';

/** What a pruner by words and by meaning is made with. */
export interface HybridOptions extends SemanticOptions {
  /** What the best by meaning counts against the best by words, which is 1; 0.25 if it is left out. */
  readonly weight?: number | undefined;
}

/** Finds by words, as `Bm25ContextPruner`, and by meaning, as `SemanticContextPruner`. */
export class HybridContextPruner implements ContextPruner {
  readonly #vectors: VectorCache;
  readonly #weight: number;

  /** @throws SessionInputError */
  constructor(options: HybridOptions) {
    const given = checkOptions(options, ['embedder', 'maxVectors', 'weight']);
    const { weight = 0.25 } = given;
    if (!Number.isFinite(weight) || (weight as number) < 0) {
      throw new SessionInputError('options.weight', `expected 0 or more, got ${kindOf(weight)}`);
    }
    this.#weight = weight as number;
    this.#vectors = openVectors(given);
  }

  async prune(
    history: readonly SessionTurn[],
    query: string,
    budget: PruneBudget,
  ): Promise<readonly SessionTurn[]> {
    const { keep, others, room, weights } = openTask(history, budget);
    const meant = await scoreMeaning(others, weights, query, this.#vectors);
    const hits = TurnIndex.of(others).hits(ascending(queryTerms(query)), others.length);
    const settings = { ...windowSettings, brevity: 0 };
    const scores = scoreHits(hits, weights, others.length, settings);
    const best = scores.reduce((most, score) => Math.max(most, score), 0) || 1;
    const brevity = room.tokens < Number.POSITIVE_INFINITY ? windowSettings.brevity : 0;
    for (const [i, { tokens }] of weights.entries()) {
      const both = (scores[i] as number) / best + this.#weight * (meant[i] as number);
      scores[i] = both / Math.max(1, tokens) ** brevity;
    }
    return keep(keepBest(weights, scores, room));
  }
}
