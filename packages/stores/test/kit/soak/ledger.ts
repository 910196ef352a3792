/** What processes said about turns of a session: which they tried to add, and which were acknowledged. */
export class Ledger {
  readonly #sessions = new Map<string, Map<string, 'tried' | 'added'>>();

  tried(id: string, turns: readonly string[]): void {
    const own = this.#of(id);
    for (const turn of turns) own.set(turn, 'tried');
  }

  added(id: string, turns: readonly string[]): void {
    const own = this.#of(id);
    for (const turn of turns) own.set(turn, 'added');
  }

  refused(id: string, turns: readonly string[]): void {
    const own = this.#of(id);
    for (const turn of turns) own.delete(turn);
  }

  /** How many are there at least, and at most. */
  bounds(id: string): readonly [low: number, high: number] {
    const own = [...this.#of(id).values()];
    return [own.filter((what) => what === 'added').length, own.length];
  }

  /** Acknowledged turns that are not there. */
  lost(id: string, there: ReadonlySet<string>): readonly string[] {
    return [...this.#of(id)]
      .filter(([turn, what]) => what === 'added' && !there.has(turn))
      .map(first);
  }

  /** What is wrong with the turns that a session wrote itself, but for those that are lost. */
  faults(id: string, stored: readonly string[]): readonly string[] {
    const own = this.#of(id);
    const strange = stored.filter((turn) => !own.has(turn));
    const faults: string[] = [];
    if (new Set(stored).size < stored.length) faults.push(`${id}: a turn is there twice`);
    if (strange.length > 0) faults.push(`${id}: nobody tried to add ${strange.slice(0, 3)}`);
    return faults;
  }

  forget(id: string): void {
    this.#sessions.delete(id);
  }

  #of(id: string): Map<string, 'tried' | 'added'> {
    let own = this.#sessions.get(id);
    if (own === undefined) {
      own = new Map();
      this.#sessions.set(id, own);
    }
    return own;
  }
}

function first<T>([item]: readonly [T, ...unknown[]]): T {
  return item;
}
