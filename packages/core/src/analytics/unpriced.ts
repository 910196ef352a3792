/** Turns that used tokens and have no cost. */
export interface UnpricedUse {
  /** Null if the turns name none. */
  readonly model: string | null;
  readonly turns: number;
}

/** Collects what has no cost, by model, in order of appearance. */
export class Unpriced {
  readonly #models = new Map<string | null, number>();

  /** What used no tokens needs no cost. */
  add(model: string | null, tokens: number): void {
    if (tokens > 0) this.#models.set(model, (this.#models.get(model) ?? 0) + 1);
  }

  list(): readonly UnpricedUse[] {
    return Object.freeze(
      [...this.#models].map(([model, turns]) => Object.freeze({ model, turns })),
    );
  }
}
