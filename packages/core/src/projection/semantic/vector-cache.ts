import { SessionInputError } from '../../errors.ts';
import { kindOf, shapeOf } from '../../session/ids.ts';
import type { Embedder } from './embedder.ts';

/**
 * Vectors of texts, each of length 1 and made once; what was not asked for longest is forgotten past `max`. Texts
 * that are asked for together, or while they are under way, are embedded together and once.
 */
export class VectorCache {
  readonly #embed: Embedder;
  readonly #max: number;
  readonly #vectors = new Map<string, Promise<Float32Array>>();

  constructor(embed: Embedder, max: number) {
    this.#embed = embed;
    this.#max = max;
  }

  /** The vectors of texts, in order. What the embedder throws comes out here, and is tried again the next time. */
  async of(texts: readonly string[]): Promise<readonly Float32Array[]> {
    const missing = [...new Set(texts.filter((text) => !this.#vectors.has(text)))];
    if (missing.length > 0) {
      const made = this.#make(missing);
      for (const [i, text] of missing.entries()) {
        const vector = made.then((vectors) => vectors[i] as Float32Array);
        // Whoever waits is told; nobody else has to be.
        vector.catch(() => this.#vectors.delete(text));
        this.#vectors.set(text, vector);
      }
    }
    const vectors = await Promise.all(texts.map((text) => this.#used(text)));
    for (const text of this.#vectors.keys()) {
      if (this.#vectors.size <= this.#max) break;
      this.#vectors.delete(text);
    }
    return vectors;
  }

  #used(text: string): Promise<Float32Array> {
    const vector = this.#vectors.get(text) as Promise<Float32Array>;
    this.#vectors.delete(text);
    this.#vectors.set(text, vector);
    return vector;
  }

  async #make(texts: readonly string[]): Promise<readonly Float32Array[]> {
    const vectors: readonly ArrayLike<number>[] = await this.#embed(texts);
    if (!Array.isArray(vectors) || vectors.length !== texts.length) {
      const answer = Array.isArray(vectors) ? `${vectors.length} vectors` : kindOf(vectors);
      throw new SessionInputError('embedder', `answered ${answer} to ${texts.length} texts`);
    }
    const length = (vectors[0] as ArrayLike<number> | undefined)?.length;
    return vectors.map((vector: ArrayLike<number>) => toUnit(vector, length));
  }
}

function toUnit(vector: ArrayLike<number>, length: number | undefined): Float32Array {
  const unit = Float32Array.from(vector);
  if (unit.length === 0 || unit.length !== length || !unit.every(Number.isFinite)) {
    throw new SessionInputError(
      'embedder',
      `answered ${shapeOf(vector)}, no vector like the others`,
    );
  }
  const norm = Math.sqrt(unit.reduce((sum, x) => sum + x * x, 0));
  return norm === 0 ? unit : unit.map((x) => x / norm);
}

/** How much two unit vectors point the same way, from -1 to 1. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
