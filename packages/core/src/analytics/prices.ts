import { SessionInputError } from '../errors.ts';
import { checkPrintable, kindOf, shapeOf } from '../session/ids.ts';
import { isPlainObject } from '../session/json.ts';
import { limits } from '../session/limits.ts';
import { checkOptions } from '../session/options.ts';
import { readInput } from '../session/read-input.ts';
import { costOf, type ModelPrice, type PricedUse, type Prices } from './model-price.ts';
import { openCatalogue } from './price-catalogue.ts';

export interface PriceOptions {
  /** Prices of your own by the name of the model, before all others. */
  readonly models?: Readonly<Record<string, ModelPrice>> | undefined;
  /** Whether other models are looked up in `@pydantic/genai-prices`, which is to be installed; true unless false. */
  readonly catalogue?: boolean | undefined;
}

const priceKeys = ['input', 'output', 'cacheRead', 'cacheWrite', 'reasoning'] as const;
/** USD for a million tokens. */
const maxPrice = 1_000_000;

/**
 * Prices: those of the table first, then those of `@pydantic/genai-prices`. A name in the manner of
 * `vendor/model` is looked up as it is, then as `model` of that vendor.
 *
 * @throws SessionInputError; SessionUnsupportedError if the catalogue is asked for and not installed
 */
export async function openPrices(options: PriceOptions = {}): Promise<Prices> {
  const given = checkOptions(options, ['models', 'catalogue'], 'prices');
  const { catalogue: wanted = true } = given;
  if (typeof wanted !== 'boolean') {
    throw new SessionInputError(
      'prices.catalogue',
      `expected true or false, got ${kindOf(wanted)}`,
    );
  }
  const table = parseTable(given.models);
  const catalogue = wanted ? await openCatalogue() : null;
  return Object.freeze({
    priceOf(use: PricedUse): number | null {
      const own = table.get(use.model) ?? table.get(plainName(use.model));
      if (own !== undefined) return costOf(own, use.usage);
      return catalogue?.priceOf(use) ?? null;
    },
  });
}

/** A model's name without its vendor. */
function plainName(model: string): string {
  return model.slice(model.lastIndexOf('/') + 1);
}

function parseTable(models: unknown): ReadonlyMap<string, ModelPrice> {
  const table = new Map<string, ModelPrice>();
  if (models === undefined) return table;
  return readInput('prices.models', () => {
    if (!isPlainObject(models)) {
      throw new SessionInputError('prices.models', `expected an object, got ${shapeOf(models)}`);
    }
    for (const [model, price] of Object.entries(models)) {
      checkPrintable(model, 'prices.models (a name)');
      table.set(model, parsePrice(price, `prices.models['${model}']`));
    }
    return table;
  });
}

function parsePrice(value: unknown, path: string): ModelPrice {
  if (!isPlainObject(value)) {
    throw new SessionInputError(path, `expected an object, got ${shapeOf(value)}`);
  }
  const given = checkOptions(value, priceKeys, path);
  const price: Record<string, number> = {};
  for (const key of priceKeys) {
    const usd = given[key];
    if (usd === undefined && key !== 'input' && key !== 'output') continue;
    if (typeof usd !== 'number' || !(usd >= 0) || usd > maxPrice) {
      throw new SessionInputError(
        `${path}.${key}`,
        `expected USD for a million tokens, a number from 0 to ${maxPrice}, got ${kindOf(usd)}`,
      );
    }
    price[key] = usd;
  }
  return Object.freeze(price) as unknown as ModelPrice;
}

/**
 * What prices say, if it can be a cost. Prices that throw have no price: what was said and paid for is kept
 * without one.
 */
export function askPrice(prices: Prices, use: PricedUse): number | null {
  try {
    const usd = prices.priceOf(use);
    return typeof usd === 'number' && usd >= 0 && usd <= limits.turnCost ? usd : null;
  } catch {
    return null;
  }
}

/** Prices of a caller's, or such as options ask for. @throws SessionInputError, SessionUnsupportedError */
export async function toPrices(given: unknown, path: string): Promise<Prices | undefined> {
  if (given === undefined || given === false) return undefined;
  if (given === true) return openPrices();
  if (isPrices(given)) return given;
  if (isPlainObject(given)) return openPrices(given);
  throw new SessionInputError(path, `expected true, options or prices, got ${shapeOf(given)}`);
}

/** @throws SessionInputError */
export function checkPrices(given: unknown, path: string): Prices | undefined {
  if (given === undefined) return undefined;
  if (isPrices(given)) return given;
  throw new SessionInputError(path, `expected what openPrices answers, got ${kindOf(given)}`);
}

function isPrices(value: unknown): value is Prices {
  return typeof (value as Prices | null | undefined)?.priceOf === 'function';
}
