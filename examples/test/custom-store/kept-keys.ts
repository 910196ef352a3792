/** What becomes of the keys of a Keyv on trial. */
export interface Fate {
  /** So many keys may be written or deleted; then the process is dead, and whatever it asks fails. */
  readonly writes?: number;
  /** A broken engine: it answers before it keeps a page, as a cache does that writes behind. */
  readonly writesBehind?: boolean;
}

/** Keys that stay when the process that writes them dies. */
export class KeptKeys {
  readonly kept: Map<string, unknown>;
  readonly #fate: Fate;
  readonly #behind = new Map<string, unknown>();
  writes = 0;
  /** Characters that were written. */
  written = 0;

  constructor(kept: Map<string, unknown> = new Map(), fate: Fate = {}) {
    this.kept = kept;
    this.#fate = fate;
  }

  get isDead(): boolean {
    return this.writes > (this.#fate.writes ?? Number.POSITIVE_INFINITY);
  }

  #live(): void {
    if (this.isDead) throw new Error('the process is dead');
  }

  #write(): void {
    this.writes += 1;
    this.#live();
  }

  get(key: string): unknown {
    this.#live();
    return this.#behind.get(key) ?? this.kept.get(key);
  }

  set(key: string, value: unknown): this {
    this.#write();
    this.written += JSON.stringify(value).length;
    if (this.#fate.writesBehind === true && key !== 'root') {
      this.#behind.set(key, value);
      if (this.#behind.size > 20) this.#catchUp();
    } else {
      this.kept.set(key, value);
    }
    return this;
  }

  #catchUp(): void {
    for (const [key, value] of this.#behind) this.kept.set(key, value);
    this.#behind.clear();
  }

  delete(key: string): boolean {
    this.#write();
    const wasBehind = this.#behind.delete(key);
    return this.kept.delete(key) || wasBehind;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  clear(): void {
    this.kept.clear();
  }
}
