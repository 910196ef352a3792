// #region engine
import type { OrderedEngine, OrderedRows } from '@lexigram/ai-session/store';

/** The smallest engine: rows in memory, which are gone with it. */
export class MapEngine implements OrderedEngine, OrderedRows {
  readonly #rows = new Map<string, string>();
  /** The keys in order. */
  readonly #keys: string[] = [];
  /** What stood in the rows that the write under way has changed. */
  #before: [key: string, value: string | undefined][] = [];

  async read<T>(work: (rows: OrderedRows) => T): Promise<T> {
    return work(this);
  }

  async write<T>(work: (rows: OrderedRows) => T): Promise<T> {
    this.#before = [];
    try {
      return work(this);
    } catch (error) {
      for (const [key, value] of this.#before.reverse()) this.#put(key, value);
      throw error;
    }
  }

  async close(): Promise<void> {}

  get(key: string): string | undefined {
    return this.#rows.get(key);
  }

  set(key: string, value: string): void {
    this.#before.push([key, this.#rows.get(key)]);
    this.#put(key, value);
  }

  delete(key: string): void {
    this.#before.push([key, this.#rows.get(key)]);
    this.#put(key, undefined);
  }

  #put(key: string, value: string | undefined): void {
    const isThere = this.#rows.has(key);
    if (value === undefined) this.#rows.delete(key);
    else this.#rows.set(key, value);
    if (isThere === (value !== undefined)) return;
    this.#keys.splice(this.#rank(key), isThere ? 1 : 0, ...(isThere ? [] : [key]));
  }

  scan(from: string, to: string, backwards = false): Iterable<readonly [string, string]> {
    const keys = this.#keys.slice(this.#rank(from), this.#rank(to));
    return (backwards ? keys.reverse() : keys).map((key) => [key, this.#rows.get(key) ?? '']);
  }

  /** How many keys come before this one. */
  #rank(key: string): number {
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
// #endregion
