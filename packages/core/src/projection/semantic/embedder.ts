import { SessionInputError } from '../../errors.ts';
import { kindOf } from '../../session/ids.ts';

/** Makes a vector of each text, in order, all of one length. */
export type Embedder = (texts: readonly string[]) => PromiseLike<readonly ArrayLike<number>[]>;

/** The part of an embedding model of the AI SDK that is needed; any of its models has it. */
export interface EmbeddingModelLike {
  readonly maxEmbeddingsPerCall: PromiseLike<number | undefined> | number | undefined;
  doEmbed(options: {
    values: string[];
  }): PromiseLike<{ readonly embeddings: readonly (readonly number[])[] }>;
}

/** An embedder of any of the two kinds. @throws SessionInputError */
export function toEmbedder(given: unknown, path: string): Embedder {
  if (typeof given === 'function') return given as Embedder;
  const model = given as EmbeddingModelLike | null | undefined;
  if (typeof model?.doEmbed !== 'function') {
    throw new SessionInputError(
      path,
      `expected a function or an embedding model of the AI SDK, got ${kindOf(given)}`,
    );
  }
  return async (texts) => {
    const most = (await model.maxEmbeddingsPerCall) ?? Number.POSITIVE_INFINITY;
    const vectors: (readonly number[])[] = [];
    for (let at = 0; at < texts.length; at += most) {
      const values = texts.slice(at, at + most);
      vectors.push(...(await model.doEmbed({ values })).embeddings);
    }
    return vectors;
  };
}
