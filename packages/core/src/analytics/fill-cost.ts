import { toNanoUsd, toUsd } from '../session/money.ts';
import type { TurnDraft } from '../session/parse-turn.ts';
import type { Prices } from './model-price.ts';
import { askPrice } from './prices.ts';

/**
 * The turn with the cost that its model and usage come to, if it has none and there is a price. What was given
 * stays what a repeat is compared with.
 */
export function fillCost(prices: Prices | undefined, draft: TurnDraft): TurnDraft {
  if (prices === undefined) return draft;
  const { cost, model, provider, usage } = draft.fields;
  if (cost !== undefined || model === undefined || !usage?.totalTokens) return draft;
  const usd = askPrice(prices, { model, provider, usage, at: draft.at ?? undefined });
  if (usd === null) return draft;
  const nano = toNanoUsd(usd);
  return {
    ...draft,
    given: draft.body,
    body: `${draft.body.slice(0, -1)},"priced":${nano}}`,
    cost: nano,
    fields: { ...draft.fields, cost: toUsd(nano) },
  };
}
