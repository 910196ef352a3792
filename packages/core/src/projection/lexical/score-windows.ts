import type { Candidate } from '../scoring-pruner.ts';

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
 * each other count more than one term often. `terms` are the query's, each with its weight.
 */
export function scoreWindows(
  candidates: readonly Candidate[],
  terms: ReadonlyMap<number, number>,
  { brevity, directness, reach, saturation }: WindowSettings,
): Float64Array {
  const count = candidates.length;
  const scores = new Float64Array(count);
  const hits = findHits(candidates, terms);
  const fading = fadesBetween(candidates, reach);
  const window = new Float64Array(count);
  for (const [term, found] of hits) {
    const idf = Math.log(1 + (count - found.at.length + 0.5) / (found.at.length + 0.5));
    const worth = (terms.get(term) ?? 0) * idf;
    fade(found, fading, window);
    for (let i = 0; i < count; i++) {
      const near = window[i] as number;
      scores[i] = (scores[i] as number) + (worth * near) / (near + saturation);
    }
    for (const [n, i] of found.at.entries()) {
      const own = withinTurn(found.often[n] as number);
      scores[i] = (scores[i] as number) + (directness * worth * own) / (own + saturation);
    }
  }
  for (const [i, { tokens }] of candidates.entries()) {
    scores[i] = (scores[i] as number) / Math.max(1, tokens) ** brevity;
  }
  return scores;
}

interface Hits {
  readonly at: number[];
  readonly often: number[];
}

function findHits(
  candidates: readonly Candidate[],
  terms: ReadonlyMap<number, number>,
): ReadonlyMap<number, Hits> {
  const hits = new Map<number, Hits>();
  for (const term of terms.keys()) hits.set(term, { at: [], often: [] });
  for (const [i, { digests }] of candidates.entries()) {
    for (const { end, start, terms: said } of digests) {
      for (let n = start; n < end; n++) {
        const found = hits.get(said[n] as number);
        if (found === undefined) continue;
        const last = found.at.length - 1;
        if (found.at[last] === i) found.often[last] = (found.often[last] as number) + 1;
        else {
          found.at.push(i);
          found.often.push(1);
        }
      }
    }
  }
  return hits;
}

/** What is left of a hit at each candidate one further on; by its middle, so that both directions are alike. */
function fadesBetween(candidates: readonly Candidate[], reach: number): Float64Array {
  const fading = new Float64Array(candidates.length);
  for (let i = 1; i < candidates.length; i++) {
    const between = ((candidates[i - 1]?.tokens ?? 0) + (candidates[i]?.tokens ?? 0)) / 2;
    fading[i] = Math.exp(-between / reach);
  }
  return fading;
}

/** For each place the hits around it, each by how near it is. */
function fade({ at, often }: Hits, fading: Float64Array, window: Float64Array): void {
  window.fill(0);
  for (const [n, i] of at.entries()) {
    window[i] = withinTurn(often[n] as number);
  }
  let after = 0;
  let before = 0;
  const own = window.slice();
  for (let i = 0; i < window.length; i++) {
    before = before * (fading[i] as number) + (own[i] as number);
    window[i] = before;
  }
  for (let i = window.length - 1; i >= 0; i--) {
    window[i] = (window[i] as number) + after;
    after = (after + (own[i] as number)) * (fading[i] as number);
  }
}

function withinTurn(times: number): number {
  return (times * (1 + repeats)) / (times + repeats);
}
