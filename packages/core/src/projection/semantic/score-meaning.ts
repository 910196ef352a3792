import type { SessionTurn } from '../../session/turn.ts';
import type { TurnWeight } from '../pruner.ts';
import { argumentsText, partsOf, speaks, textOf } from '../shown.ts';
import { cosine, type VectorCache } from './vector-cache.ts';

/** Tokens of turns that are embedded together: a remark by itself means little. */
const passageTokens = 120;

/** Tokens over which a passage's likeness fades to a third. */
const reach = 300;

/** A row of turns that is embedded as one text. */
interface Passage {
  readonly from: number;
  /** The index after its last turn. */
  readonly to: number;
  readonly text: string;
}

/**
 * Scores each turn, from 0 to 1, by how near in meaning to the query the passages around it are. Passages are cut
 * from the first turn on, so that a history that grows keeps its vectors but for the last one.
 */
export async function scoreMeaning(
  turns: readonly SessionTurn[],
  weights: readonly TurnWeight[],
  query: string,
  vectors: VectorCache,
): Promise<Float64Array> {
  const scores = new Float64Array(turns.length);
  const passages = cut(turns, weights);
  if (passages.length === 0 || query.trim() === '') return scores;
  const [asked, ...said] = await vectors.of([query, ...passages.map(({ text }) => text)]);
  for (const [n, { from, to }] of passages.entries()) {
    const near = Math.max(0, cosine(asked as Float32Array, said[n] as Float32Array));
    // Squared: what is a little alike is everywhere.
    scores.fill(near * near, from, to);
  }
  return spread(smooth(scores, weights));
}

function cut(turns: readonly SessionTurn[], weights: readonly TurnWeight[]): readonly Passage[] {
  const passages: Passage[] = [];
  for (let from = 0; from < turns.length; ) {
    let to = from;
    let tokens = 0;
    const texts: string[] = [];
    for (; to < turns.length && tokens < passageTokens; to++) {
      tokens += weights[to]?.tokens ?? 0;
      texts.push(saidIn(turns[to] as SessionTurn));
    }
    const text = texts.filter((said) => said !== '').join('\n');
    if (text !== '') passages.push({ from, to, text });
    from = to;
  }
  return passages;
}

/** What is said in a turn, without who says it, and without marks like `{laughter}` alone. */
function saidIn(turn: SessionTurn): string {
  const said = partsOf(turn).filter(speaks).map(textOf);
  const called = (turn.toolCalls ?? []).map((call) => `${call.name} ${argumentsText(call)}`);
  const text = [...said, ...called].join('\n').trim();
  return /^\{\w{1,40}\}$/.test(text) ? '' : text;
}

/**
 * The mean of the scores around each turn, each by how near it is. At the ends, where there is less around, the
 * rest is as the whole history is on average.
 */
function smooth(scores: Float64Array, weights: readonly TurnWeight[]): Float64Array {
  const count = scores.length;
  const sums = new Float64Array(count);
  const shares = new Float64Array(count);
  const fading = (i: number): number =>
    Math.exp(-((weights[i - 1]?.tokens ?? 0) + (weights[i]?.tokens ?? 0)) / 2 / reach);
  let sum = 0;
  let share = 0;
  let total = 0;
  for (let i = 0; i < count; i++) {
    const fade = i === 0 ? 0 : fading(i);
    sum = sum * fade + (scores[i] as number);
    share = share * fade + 1;
    sums[i] = sum;
    shares[i] = share;
    total += scores[i] as number;
  }
  sum = 0;
  share = 0;
  for (let i = count - 1; i >= 0; i--) {
    sums[i] = (sums[i] as number) + sum;
    shares[i] = (shares[i] as number) + share;
    const fade = i === 0 ? 0 : fading(i);
    sum = (sum + (scores[i] as number)) * fade;
    share = (share + 1) * fade;
  }
  const most = shares.reduce((max, each) => Math.max(max, each), 0);
  const mean = total / count;
  return sums.map((near, i) => (near + (most - (shares[i] as number)) * mean) / most);
}

/** The lowest score becomes 0, the highest 1. */
function spread(scores: Float64Array): Float64Array {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const score of scores) {
    low = Math.min(low, score);
    high = Math.max(high, score);
  }
  const range = high - low;
  return range > 0 ? scores.map((score) => (score - low) / range) : scores.fill(0);
}
