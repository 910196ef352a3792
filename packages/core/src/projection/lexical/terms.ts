import type { SessionTurn } from '../../session/turn.ts';
import { searchText } from '../shown.ts';
import { stem } from './stem.ts';
import { isAskingWord, isStopWord } from './stop-words.ts';
import { wordsOf } from './words.ts';

/** Terms of one turn that are looked at: a tool may answer with a megabyte. */
const most = 4_096;

/** The terms of a text: each once, ascending, and how often it comes. */
export interface TermBag {
  readonly terms: Uint32Array;
  readonly counts: Uint16Array;
}

const stems = new Map<string, number>();

/** The terms of a turn. */
export function bagOf(turn: SessionTurn): TermBag {
  const all = Uint32Array.from(textTerms(searchText(turn))).sort();
  const terms = new Uint32Array(all.length);
  const counts = new Uint16Array(all.length);
  let last = -1;
  for (const [i, term] of all.entries()) {
    if (i === 0 || term !== all[i - 1]) terms[++last] = term;
    counts[last] = (counts[last] as number) + 1;
  }
  return { terms: terms.slice(0, last + 1), counts: counts.slice(0, last + 1) };
}

/** The terms of a text in order, repeats too. */
export function textTerms(text: string): readonly number[] {
  const terms: number[] = [];
  // Past that many characters there are more terms than are looked at.
  for (const word of wordsOf(text.slice(0, most * 32))) {
    if (isStopWord(word)) continue;
    if (terms.push(termOf(word)) === most) break;
  }
  return terms;
}

/** The terms of a query, each once; words of asking only if there are no others. */
export function queryTerms(query: string): readonly number[] {
  const words = wordsOf(query.slice(0, most * 32)).filter((word) => !isStopWord(word));
  const about = words.filter((word) => !isAskingWord(word));
  return [...new Set((about.length > 0 ? about : words).map(termOf))].slice(0, most);
}

/** The number of a word's stem. Two stems with the same number are rarer than one in a million pairs. */
function termOf(word: string): number {
  const remembered = stems.get(word);
  if (remembered !== undefined) return remembered;
  const term = hash(stem(word));
  if (stems.size >= 50_000) stems.clear();
  if (word.length <= 40) stems.set(word, term);
  return term;
}

/** FNV-1a over the text's code units. */
function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  return sum >>> 0;
}
