/**
 * Money is a whole number of nano-dollars inside, so that sums are exact, and USD at the border.
 * 0.1 + 0.2 USD is 300,000,000 nano-dollars, whatever the order in which it was added up.
 */
export function toNanoUsd(usd: number): number {
  return Math.round(usd * 1e9);
}

/** The USD that a number of nano-dollars is, as the nearest double. */
export function toUsd(nano: number): number {
  return nano / 1e9;
}
