import type { SessionTurn } from '@lexigram/ai-session';

/** Stands in for a model: answers a word at a time, with what was asked and how often so far. */
export async function* scriptedModel(
  turns: readonly SessionTurn[],
): AsyncGenerator<string, void, undefined> {
  const asked = turns.filter((turn) => turn.role === 'user');
  for (const word of `Answer ${asked.length}: you said "${asked.at(-1)?.content}".`.split(
    /(?<= )/,
  )) {
    yield word;
  }
}
