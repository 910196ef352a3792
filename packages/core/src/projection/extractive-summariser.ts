import type { SessionTurn } from '../session/turn.ts';
import { count } from './count-tokens.ts';
import { textTerms } from './lexical/terms.ts';
import { partsOf, speaks, textOf } from './shown.ts';
import type { Summariser } from './summarise.ts';

/** A line of the summary that might be. */
interface Sentence {
  readonly text: string;
  readonly terms: readonly number[];
}

/** Sentences of one turn that are looked at, and the length of one. */
const perTurn = 40;
const longest = 400;

/**
 * A summariser without a model: it keeps the sentences that have most to do with everything that was said, word for
 * word and in order, until `maxTokens` is reached. Lines of the summary before compete with the new ones.
 */
export function extractiveSummariser(): Summariser {
  return ({ countTokens, maxTokens, previous, turns }) => {
    const sentences = [...previousLines(previous), ...turns.flatMap(sentencesOf)];
    const worth = worthOf(sentences);
    const order = sentences.map((_, i) => i).sort((a, b) => (worth[b] ?? 0) - (worth[a] ?? 0));
    const kept = new Set<number>();
    const said = new Set<string>();
    let left = maxTokens;
    for (const i of order) {
      const { text } = sentences[i] as Sentence;
      const tokens = count(countTokens, text) + 1;
      if (tokens > left || said.has(text)) continue;
      left -= tokens;
      said.add(text);
      kept.add(i);
    }
    const lines = sentences.filter((_, i) => kept.has(i)).map(({ text }) => text);
    return lines.length > 0 ? lines.join('\n') : '(Nothing that could be told in words.)';
  };
}

function previousLines(previous: string | null): readonly Sentence[] {
  return (previous?.split('\n') ?? []).filter((text) => text.trim() !== '').map(toSentence);
}

function toSentence(text: string): Sentence {
  return { text, terms: [...new Set(textTerms(text))] };
}

function sentencesOf(turn: SessionTurn): readonly Sentence[] {
  if (turn.role === 'system') return [];
  const speaker = turn.name ?? turn.agent ?? turn.role;
  const text = partsOf(turn).filter(speaks).map(textOf).join('\n');
  const called = (turn.toolCalls ?? []).map(({ name }) => `called ${name}.`);
  const segments = new Intl.Segmenter('en', { granularity: 'sentence' }).segment(
    text.slice(0, perTurn * longest),
  );
  return [...segments]
    .map(({ segment }) => segment.replaceAll(/\s+/g, ' ').trim())
    .filter((segment) => segment.length > 1)
    .slice(0, perTurn)
    .concat(called)
    .map((segment) => {
      const short =
        segment.length > longest ? `${segment.slice(0, longest).toWellFormed()}…` : segment;
      return toSentence(`${speaker}: ${short}`);
    });
}

/** The mean weight of a sentence's terms: those that come again count, those that are everywhere do not. */
function worthOf(sentences: readonly Sentence[]): readonly number[] {
  const often = new Map<number, number>();
  for (const { terms } of sentences) {
    for (const term of terms) often.set(term, (often.get(term) ?? 0) + 1);
  }
  return sentences.map(({ terms }) => {
    let sum = 0;
    for (const term of terms) {
      const n = often.get(term) ?? 0;
      sum += Math.log(1 + n) * Math.log(1 + sentences.length / n);
    }
    // A short remark is not worth more for having few words.
    return sum / (terms.length + 5);
  });
}
