/** Indexes by falling score, the higher index first among equals; each costs the logarithm of how many there are. */
export class BestFirst {
  readonly #scores: ArrayLike<number>;
  readonly #heap: Uint32Array;
  #size: number;

  constructor(scores: ArrayLike<number>) {
    this.#scores = scores;
    this.#size = scores.length;
    this.#heap = new Uint32Array(this.#size);
    for (let i = 0; i < this.#size; i++) this.#heap[i] = i;
    for (let i = (this.#size >>> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  next(): number | undefined {
    if (this.#size === 0) return undefined;
    const heap = this.#heap;
    const best = heap[0] as number;
    this.#size -= 1;
    heap[0] = heap[this.#size] as number;
    this.#sink(0);
    return best;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const size = this.#size;
    const moved = heap[from] as number;
    let at = from;
    for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
      const right = child + 1;
      if (right < size && this.#precedes(heap[right] as number, heap[child] as number))
        child = right;
      if (!this.#precedes(heap[child] as number, moved)) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = moved;
  }

  #precedes(a: number, b: number): boolean {
    const one = this.#scores[a] as number;
    const other = this.#scores[b] as number;
    return one > other || (one === other && a > b);
  }
}
