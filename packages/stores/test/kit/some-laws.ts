import { type LawOptions, laws } from '@lexigram/ai-session-contract';
import { isFull } from '../scale.ts';

/** For one more way to reach a store whose laws are all checked elsewhere: each tenth law, at full counts all. */
export function someLaws(from: number): LawOptions {
  if (isFull) return {};
  return { only: laws.filter((_, i) => i % 10 === from % 10).map(({ id }) => id) };
}
