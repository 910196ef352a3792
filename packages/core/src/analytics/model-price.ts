import type { Usage } from '../session/turn.ts';

/** What a model costs: USD for a million tokens. */
export interface ModelPrice {
  /** Input that was neither read from a cache nor written to one. */
  readonly input: number;
  /** Output, reasoning included unless it has a price of its own. */
  readonly output: number;
  /** Input read from a cache; the price of input if left out. */
  readonly cacheRead?: number | undefined;
  /** Input written to a cache; the price of input if left out. */
  readonly cacheWrite?: number | undefined;
  /** The part of the output that is reasoning; the price of output if left out. */
  readonly reasoning?: number | undefined;
}

/** What is to be priced. */
export interface PricedUse {
  readonly model: string;
  readonly provider?: string | undefined;
  readonly usage: Usage;
  /** Milliseconds since 1970; now if left out. */
  readonly at?: number | undefined;
}

/** Where prices come from. */
export interface Prices {
  /** USD, or null if there is no price for this model or for such usage. Answers at once. */
  priceOf(use: PricedUse): number | null;
}

/**
 * USD for what a turn used; null if that cannot be told: the usage is a total only, or its parts are more than
 * the whole.
 */
export function costOf(price: ModelPrice, usage: Usage): number | null {
  const { cacheReadTokens = 0, cacheWriteTokens = 0, reasoningTokens = 0 } = usage;
  if (usage.inputTokens === undefined && usage.outputTokens === undefined) return null;
  const { inputTokens = 0, outputTokens = 0 } = usage;
  const plain = inputTokens - cacheReadTokens - cacheWriteTokens;
  const said = price.reasoning === undefined ? outputTokens : outputTokens - reasoningTokens;
  if (plain < 0 || said < 0) return null;
  const perMillion =
    plain * price.input +
    cacheReadTokens * (price.cacheRead ?? price.input) +
    cacheWriteTokens * (price.cacheWrite ?? price.input) +
    said * price.output +
    (price.reasoning === undefined ? 0 : reasoningTokens * price.reasoning);
  return perMillion / 1e6;
}
