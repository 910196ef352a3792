/** One of the engines that are compared. */
export interface Contestant {
  /** Gets ready for a round; that does not count. */
  readonly begin?: () => unknown;
  /** Does one slice of a round and answers the microseconds it took. */
  readonly slice: (index: number) => Promise<number>;
}

export interface Rounds {
  readonly rounds: number;
  readonly slices: number;
}

/**
 * Measures contestants in rounds of many slices, slice by slice in alternating order, so that what the machine
 * does meanwhile meets them all. Answers what each round took, all slices added up, and so with everything that
 * engines put off. The first round warms up and does not count.
 */
export async function interleave<Name extends string>(
  { rounds, slices }: Rounds,
  contestants: Readonly<Record<Name, Contestant>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(contestants) as Name[];
  const costs = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    number[]
  >;
  for (let round = 0; round <= rounds; round++) {
    const sums = new Map(names.map((name) => [name, 0]));
    for (const name of names) await contestants[name].begin?.();
    for (let i = 0; i < slices; i++) {
      for (const name of (round + i) % 2 === 0 ? names : names.toReversed()) {
        sums.set(name, (sums.get(name) ?? 0) + (await contestants[name].slice(i)));
      }
    }
    if (round > 0) for (const [name, sum] of sums) costs[name].push(sum);
  }
  return costs;
}

/** Two ways to do the same thing, one operation at a time; each answers the microseconds of one. */
export interface Pair {
  readonly one: (i: number) => Promise<number>;
  readonly other: (i: number) => Promise<number>;
}

/** Microseconds of each of the two. */
export interface Costs {
  readonly one: number[];
  readonly other: number[];
}

/**
 * As `interleave`, but the two take turns operation by operation, or a few at a time. Answers the median cost of an
 * operation in each round: both write into one file, whose WAL is written back during either one's call.
 */
export async function alternate(
  rounds: number,
  operations: number,
  pair: Pair,
  each = 1,
): Promise<Costs> {
  const costs: Costs = { one: [], other: [] };
  for (let round = 0; round <= rounds; round++) {
    const { one, other } = await inTurn(operations, pair, each);
    if (round === 0) continue;
    costs.one.push(median(one));
    costs.other.push(median(other));
  }
  return costs;
}

/** One round of `alternate`: the cost of each operation. */
export async function inTurn(operations: number, pair: Pair, each = 1): Promise<Costs> {
  const costs: Costs = { one: [], other: [] };
  for (let from = 0; from < operations; from += each) {
    const order = (from / each) % 2 === 0 ? names : names.toReversed();
    for (const name of order) {
      const to = Math.min(operations, from + each);
      for (let i = from; i < to; i++) costs[name].push(await pair[name](i));
    }
  }
  return costs;
}

const names = ['one', 'other'] as const;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] as number;
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] as number)) / 2;
}

export interface Ratio {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** The median, least and greatest of the ratios of each round. */
export function ratioOf(own: readonly number[], other: readonly number[]): Ratio {
  const ratios = own.map((cost, i) => cost / (other[i] as number));
  return { value: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) };
}

/** Microseconds that `work` takes. */
export async function microseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) * 1000;
}
