import { SessionInputError } from '../errors.ts';
import { checkOptions } from '../session/options.ts';
import { parseCount } from '../session/parse-head.ts';
import type { SessionTurn } from '../session/turn.ts';
import { keepBest, openTask } from './keep-best.ts';
import { windowSettings } from './lexical/score-windows.ts';
import type { ContextPruner, PruneBudget } from './pruner.ts';
import { type Embedder, type EmbeddingModelLike, toEmbedder } from './semantic/embedder.ts';
import { scoreMeaning } from './semantic/score-meaning.ts';
import { VectorCache } from './semantic/vector-cache.ts';

/** What a pruner by meaning is made with. */
export interface SemanticOptions {
  /** A function, an embedding model of the AI SDK, or `energeticEmbedder()`. */
  readonly embedder: Embedder | EmbeddingModelLike;
  /** Vectors that are kept; 20,000 if it is left out. */
  readonly maxVectors?: number | undefined;
}

/**
 * Finds by meaning: the turns around the passages whose vectors are nearest to the query's. A text is embedded once
 * for as long as its vector is kept; use one pruner for all sessions.
 */
export class SemanticContextPruner implements ContextPruner {
  readonly #vectors: VectorCache;

  /** @throws SessionInputError */
  constructor(options: SemanticOptions) {
    this.#vectors = openVectors(checkOptions(options, ['embedder', 'maxVectors']));
  }

  async prune(
    history: readonly SessionTurn[],
    query: string,
    budget: PruneBudget,
  ): Promise<readonly SessionTurn[]> {
    const { keep, others, room, weights } = openTask(history, budget);
    const scores = await scoreMeaning(others, weights, query, this.#vectors);
    if (room.tokens < Number.POSITIVE_INFINITY) {
      for (const [i, { tokens }] of weights.entries()) {
        scores[i] = (scores[i] as number) / Math.max(1, tokens) ** windowSettings.brevity;
      }
    }
    return keep(keepBest(weights, scores, room));
  }
}

/** @throws SessionInputError */
export function openVectors(given: Readonly<Record<string, unknown>>): VectorCache {
  const max = parseCount(given.maxVectors, 'options.maxVectors') ?? 20_000;
  if (max < 1) throw new SessionInputError('options.maxVectors', 'must be 1 at least');
  return new VectorCache(toEmbedder(given.embedder, 'options.embedder'), max);
}
