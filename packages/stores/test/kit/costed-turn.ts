import type { TurnInput } from '@lexigram/ai-session';

/** The nth of turns that differ in what they used and cost. */
export function turnOf(n: number): TurnInput & { readonly cost: number } {
  const usage = { inputTokens: 3 * n, outputTokens: n };
  return { role: 'assistant', content: `turn ${n}`, model: `m${n % 3}`, usage, cost: n / 1e9 };
}
