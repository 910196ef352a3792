import { SessionInputError, SessionLimitError } from '../errors.ts';
import { shapeOf } from '../session/ids.ts';
import { isPlainObject, mapItems } from '../session/json.ts';
import { toNanoUsd, toUsd } from '../session/money.ts';
import { parseTurn } from '../session/parse-turn.ts';
import { readInput } from '../session/read-input.ts';
import type { SessionTurn, Usage } from '../session/turn.ts';
import type { Prices } from './model-price.ts';
import { askPrice } from './prices.ts';
import { Unpriced, type UnpricedUse } from './unpriced.ts';

/** What is to be priced: of a turn, these fields are looked at. */
export interface CostInput {
  readonly model?: string | undefined;
  readonly provider?: string | undefined;
  readonly usage?: Usage | undefined;
  /** USD; a cost that is known stands. */
  readonly cost?: number | undefined;
  /** Prices are those of this time; of now if it is left out. */
  readonly timestamp?: string | undefined;
}

/** What turns cost. */
export interface CostReport {
  /** USD of all turns; null if some used tokens and have no price. */
  readonly cost: number | null;
  /** USD of those that have a price. */
  readonly pricedCost: number;
  /** Those that have none, by model. */
  readonly unpriced: readonly UnpricedUse[];
}

/** Turns of one call. */
const maxTurns = 10_000;

/** @throws SessionInputError, SessionLimitError */
export function reportCost(prices: Prices, given: unknown): CostReport {
  const uses = readInput('turns', () => {
    const turns = Array.isArray(given) ? (given as readonly unknown[]) : [given];
    if (turns.length > maxTurns) {
      throw new SessionLimitError('turns', 'turns', turns.length, maxTurns, 'turns');
    }
    return mapItems([...turns], (turn, i) =>
      parseUse(turn, Array.isArray(given) ? `turns[${i}]` : 'turn'),
    );
  });
  const unpriced = new Unpriced();
  let nano = 0;
  for (const { at, cost, model, provider, usage } of uses) {
    if (cost !== undefined) {
      nano += toNanoUsd(cost);
      continue;
    }
    const tokens = usage?.totalTokens ?? 0;
    if (usage === undefined || tokens === 0) continue;
    const use = { provider, usage, at: at ?? undefined };
    const usd = model === undefined ? null : askPrice(prices, { ...use, model });
    if (usd === null) unpriced.add(model ?? null, tokens);
    else nano += toNanoUsd(usd);
  }
  const missing = unpriced.list();
  return Object.freeze({
    cost: missing.length > 0 ? null : toUsd(nano),
    pricedCost: toUsd(nano),
    unpriced: missing,
  });
}

type Use = Pick<SessionTurn, 'model' | 'provider' | 'usage' | 'cost'> & { at: number | null };

/** The fields of a use, checked as those of a turn are. */
function parseUse(value: unknown, path: string): Use {
  if (!isPlainObject(value)) {
    throw new SessionInputError(path, `expected an object, got ${shapeOf(value)}`);
  }
  const { seq: _, origin: __, ...turn } = value;
  const { at, fields } = parseTurn({ role: 'assistant', content: '', ...turn }, path);
  return { ...fields, at };
}
