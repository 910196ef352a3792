import type { TurnDigest } from '../digest-turn.ts';
import type { TurnWeight } from '../pruner.ts';
import type { Candidates } from '../scoring-pruner.ts';

/** How windows are weighed. */
export interface WindowSettings {
  /** Tokens over which a hit fades to a third. */
  readonly reach: number;
  /** How soon more hits of one term stop to count: at this many, half of its worth is reached. */
  readonly saturation: number;
  /** What a hit counts more for the turn that it is in, against the same one next to it. */
  readonly directness: number;
  /** Where tokens are counted, how much short turns are preferred to long ones in the same place: 0 not at all, 1 by their tokens. */
  readonly brevity: number;
}

/** Found by cross-validation over real conversations. */
export const windowSettings: WindowSettings = {
  reach: 400,
  saturation: 1.5,
  directness: 0.2,
  brevity: 0.15,
};

/** How soon a term's hits within one turn stop to count. */
const repeats = 0.6;

/**
 * Scores each candidate by BM25 of the place where it stands: what is searched is not the turn alone but the
 * conversation around it, fading with distance in tokens. So a hit lifts the turns around it, and many terms near
 * each other count more than one term often. `terms` are the query's, each once.
 */
export function scoreWindows(
  { digests, weights }: Candidates,
  terms: readonly number[],
  settings: WindowSettings,
): Float64Array {
  const asked = ascending(terms);
  return scoreHits(findHits(digests, asked), weights, weights.length, settings);
}

/** Terms as hits are looked for: in the order in which a turn has them. */
export function ascending(terms: readonly number[]): Uint32Array {
  return Uint32Array.from(terms).sort();
}

/** The scores of the first `count` of a row, from where each term of a query is in it. */
export function scoreHits(
  hits: readonly Hits[],
  weights: readonly TurnWeight[],
  count: number,
  { brevity, directness, reach, saturation }: WindowSettings,
): Float64Array {
  const scores = new Float64Array(count);
  const fading = fadesBetween(weights, count, reach);
  const own = new Float64Array(count);
  const before = new Float64Array(count);
  for (const found of hits) {
    if (found.count === 0) continue;
    const worth = Math.log(1 + (count - found.count + 0.5) / (found.count + 0.5));
    addWindows({ scores, own, before, fading, found, worth, saturation });
    for (let k = 0; k < found.count; k++) {
      const i = found.at[k] as number;
      const direct = own[i] as number;
      scores[i] = (scores[i] as number) + (directness * worth * direct) / (direct + saturation);
    }
  }
  if (brevity > 0) preferShort(scores, weights, brevity);
  return scores;
}

/** The first `count` places where a term is, ascending, and how often it is there. */
export interface Hits {
  readonly at: readonly number[];
  readonly often: readonly number[];
  readonly count: number;
}

interface GrowingHits {
  readonly at: number[];
  readonly often: number[];
}

function findHits(
  digests: readonly (readonly TurnDigest[])[],
  asked: Uint32Array,
): readonly Hits[] {
  const hits = Array.from(asked, (): GrowingHits => ({ at: [], often: [] }));
  for (let i = 0; i < digests.length; i++) {
    const members = digests[i] as readonly TurnDigest[];
    for (let m = 0; m < members.length; m++) findIn(members[m] as TurnDigest, i, asked, hits);
  }
  return hits.map(({ at, often }) => ({ at, often, count: at.length }));
}

/** Adds what a turn has of the terms: for each a binary search, behind where the last one ended. */
function findIn(
  digest: TurnDigest,
  i: number,
  asked: Uint32Array,
  hits: readonly GrowingHits[],
): void {
  const { counts, end, terms } = digest;
  let from = digest.start;
  for (let n = 0; n < asked.length && from < end; n++) {
    const term = asked[n] as number;
    let high = end;
    while (from < high) {
      const middle = (from + high) >>> 1;
      if ((terms[middle] as number) < term) from = middle + 1;
      else high = middle;
    }
    if (from === end || terms[from] !== term) continue;
    const { at, often } = hits[n] as GrowingHits;
    const last = at.length - 1;
    if (at[last] === i) often[last] = (often[last] as number) + (counts[from] as number);
    else {
      at.push(i);
      often.push(counts[from] as number);
    }
  }
}

/** What is left of a hit at each candidate one further on; by its middle, so that both directions are alike. */
function fadesBetween(weights: readonly TurnWeight[], count: number, reach: number): Float64Array {
  const fading = new Float64Array(count);
  for (let i = 1; i < count; i++) {
    const between = ((weights[i - 1] as TurnWeight).tokens + (weights[i] as TurnWeight).tokens) / 2;
    fading[i] = Math.exp(-between / reach);
  }
  return fading;
}

/** Arrays by place; `own` and `before` are for one term after the other. */
interface Windows {
  readonly scores: Float64Array;
  readonly own: Float64Array;
  readonly before: Float64Array;
  readonly fading: Float64Array;
  readonly found: Hits;
  readonly worth: number;
  readonly saturation: number;
}

/** Adds to each place's score what a term's hits there and around it are worth, each by how near it is. */
function addWindows(windows: Windows): void {
  const { before, fading, found, own, saturation, scores, worth } = windows;
  own.fill(0);
  for (let k = 0; k < found.count; k++) {
    const times = found.often[k] as number;
    own[found.at[k] as number] = (times * (1 + repeats)) / (times + repeats);
  }
  let near = 0;
  for (let i = 0; i < own.length; i++) {
    near = near * (fading[i] as number) + (own[i] as number);
    before[i] = near;
  }
  let after = 0;
  for (let i = own.length - 1; i >= 0; i--) {
    const around = (before[i] as number) + after;
    scores[i] = (scores[i] as number) + (worth * around) / (around + saturation);
    after = (after + (own[i] as number)) * (fading[i] as number);
  }
}

/** Divides each score by a power of the turn's tokens; powers are dear, and most turns have one of few lengths. */
function preferShort(scores: Float64Array, weights: readonly TurnWeight[], brevity: number): void {
  const powers: number[] = [];
  for (let i = 0; i < scores.length; i++) {
    const tokens = Math.max(1, Math.round((weights[i] as TurnWeight).tokens));
    let power = powers[tokens];
    if (power === undefined) {
      power = tokens ** brevity;
      if (tokens < 1_000) powers[tokens] = power;
    }
    scores[i] = (scores[i] as number) / power;
  }
}
