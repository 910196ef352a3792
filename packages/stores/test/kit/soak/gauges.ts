/** What was measured in the course of a soak, by name. */
export class Gauges {
  readonly #series = new Map<string, (readonly [at: number, value: number])[]>();
  readonly #began = performance.now();

  /** @param at how many milliseconds after the beginning */
  note(name: string, value: number, at: number = performance.now() - this.#began): void {
    const series = this.#series.get(name) ?? [];
    this.#series.set(name, series);
    series.push([at, value]);
  }

  /** The medians of each third of the time that `ms` is. */
  thirds(name: string, ms: number): readonly [number, number, number] {
    const series = this.#series.get(name) ?? [];
    const part = (n: number): number =>
      medianOf(
        series
          .filter(([at]) => at >= (ms * n) / 3 && at < (ms * (n + 1)) / 3)
          .map(([, value]) => value),
      );
    return [part(0), part(1), part(2)];
  }

  get names(): readonly string[] {
    return [...this.#series.keys()];
  }
}

/** By how much a value may differ without being taken for growth with time: of itself, and beside that. */
const tolerances: Readonly<Record<string, readonly [factor: number, slack: number]>> = {
  heap: [1.1, 4_000_000],
  rss: [1.25, 40_000_000],
  bytes: [1.25, 6_000_000],
  keys: [1.25, 500],
  sockets: [1, 4],
  connections: [1, 12],
  timers: [1, 30],
  'commands a turn': [1.5, 50],
};

/** What grows with time: of which the last third of the time has clearly more than the second. */
export function growing(gauges: Gauges, ms: number): readonly string[] {
  return Object.entries(tolerances).flatMap(([name, [factor, slack]]) => {
    const [, before, after] = gauges.thirds(name, ms);
    return after <= before * factor + slack ? [] : [`${name} grew from ${before} to ${after}`];
  });
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
