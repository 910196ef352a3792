import { estimateTokenCount } from 'tokenx';
import { SessionInputError } from '../errors.ts';
import { kindOf } from '../session/ids.ts';

/** The number of tokens of a text, for one model: 0 or more. It must answer the same for the same text. */
export type TokenCounter = (text: string) => number;

/** What each message costs beside its text: its role, and the marks between messages. */
export const messageTokens = 4;

/** What an image or a document costs, whatever is in it: providers count tiles and pages, not characters. */
export const fileTokens = 1_000;

/** A good guess for any current model, without its vocabulary. */
export const estimateTokens: TokenCounter = (text) => estimateTokenCount(text);

/** @throws SessionInputError */
export function parseCounter(value: unknown): TokenCounter {
  if (value === undefined) return estimateTokens;
  if (typeof value === 'function') return value as TokenCounter;
  throw new SessionInputError('countTokens', `expected a function, got ${kindOf(value)}`);
}

/** Counts a text. @throws SessionInputError if the counter's answer is no number of tokens */
export function count(countTokens: TokenCounter, text: string): number {
  if (text === '') return 0;
  const tokens = countTokens(text);
  if (Number.isFinite(tokens) && tokens >= 0) return tokens;
  throw new SessionInputError('countTokens', `answered ${kindOf(tokens)}, no number of tokens`);
}
