/** Calls that are made in one tick, and what became of each. */
export interface Race<T> {
  readonly won: readonly T[];
  readonly lost: readonly unknown[];
}

/** Starts `count` calls in the same tick and waits for all of them. */
export async function inOneTick<T>(
  count: number,
  call: (i: number) => Promise<T>,
): Promise<Race<T>> {
  const settled = await Promise.allSettled(Array.from({ length: count }, (_, i) => call(i)));
  return {
    won: settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
    lost: settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : [])),
  };
}

/** Numbers from `from` to `to`, both included. */
export function range(from: number, to: number): readonly number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}
