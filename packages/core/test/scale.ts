/** Whether the counts are those of the promises: `LEX_TEST_SCALE=full`, and `chaos` too. */
const isFull: boolean = process.env['LEX_TEST_SCALE'] !== undefined;

/** How often something is done that is done `full` times in a full run. */
export function countOf(full: number, few: number): number {
  return isFull ? full : few;
}

/** The options of a property: the same values in each run, ten times as many in a full one. */
export function runs(few: number): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: countOf(few * 10, few), seed: 20_261_123 };
}

/** Numbers from 0 up to 1, the same in each run: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), 61 | bits);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
