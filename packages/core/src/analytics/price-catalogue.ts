import { SessionUnsupportedError } from '../errors.ts';
import type { Usage } from '../session/turn.ts';
import { costOf, type ModelPrice, type PricedUse, type Prices } from './model-price.ts';

/** What we use of `@pydantic/genai-prices`. */
interface GenaiPrices {
  calcPrice(
    usage: Readonly<Record<string, number>>,
    model: string,
    options: { readonly providerId?: string; readonly timestamp?: Date },
  ): {
    readonly total_price: number;
    readonly model: { readonly prices: unknown };
    readonly model_price: Readonly<Record<string, unknown>>;
  } | null;
}

const packageName: string = '@pydantic/genai-prices';
const dayMs = 86_400_000;
/** Models that are remembered, known or not. */
const remembered = 1_000;

/** The prices of `@pydantic/genai-prices`, loaded when they are asked for. @throws SessionUnsupportedError */
export async function openCatalogue(): Promise<Prices> {
  try {
    return new Catalogue((await import(packageName)) as GenaiPrices);
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new SessionUnsupportedError(
      `Prices of models need the package ${packageName}; install it with: npm install ${packageName}, or give prices of your own with catalogue: false`,
      { cause },
    );
  }
}

/** A price that is a plain sum, or how to ask the package each time. */
type Found = ModelPrice | ((usage: Usage) => number | null);

class Catalogue implements Prices {
  readonly #genai: GenaiPrices;
  /** By model, provider and day: the package takes a hundred times longer to find a price than an append takes. */
  readonly #found = new Map<string, Found | null>();

  constructor(genai: GenaiPrices) {
    this.#genai = genai;
  }

  priceOf({ at = Date.now(), model, provider, usage }: PricedUse): number | null {
    const key = JSON.stringify([model, provider, Math.floor(at / dayMs)]);
    let found = this.#found.get(key);
    if (found === undefined) {
      if (this.#found.size >= remembered) this.#found.clear();
      found = this.#find(model, provider, at);
      this.#found.set(key, found);
    }
    if (found === null) return null;
    return typeof found === 'function' ? found(usage) : costOf(found, usage);
  }

  /** A name as it is, then without its vendor; of the provider, of the vendor, of any. */
  #find(model: string, provider: string | undefined, at: number): Found | null {
    const cut = model.lastIndexOf('/');
    const names = cut === -1 ? [model] : [model, model.slice(cut + 1)];
    const vendor = cut === -1 ? undefined : model.slice(0, cut).split('/').at(-1);
    for (const name of names) {
      for (const providerId of new Set([provider, vendor, undefined])) {
        const options = providerId === undefined ? {} : { providerId };
        const ask = (usage: Usage, timestamp: Date): ReturnType<GenaiPrices['calcPrice']> =>
          this.#genai.calcPrice(toGenai(usage), name, { ...options, timestamp });
        const found = attempt(() => ask(probe, new Date(at)));
        if (found === null) continue;
        const plain = plainPrice(found);
        return plain ?? ((usage) => attempt(() => ask(usage, new Date(at)))?.total_price ?? null);
      }
    }
    return null;
  }
}

/** What the package cannot price it throws for. */
function attempt<T>(ask: () => T | null): T | null {
  try {
    return ask();
  } catch {
    return null;
  }
}

function toGenai(usage: Usage): Record<string, number> {
  const { cacheReadTokens = 0, cacheWriteTokens = 0, inputTokens, outputTokens } = usage;
  if (inputTokens === undefined && outputTokens === undefined) throw new Error('a total only');
  const reasoning = Math.min(usage.reasoningTokens ?? 0, outputTokens ?? 0);
  return {
    input_tokens: inputTokens ?? 0,
    output_tokens: outputTokens ?? 0,
    ...(cacheReadTokens === 0 ? {} : { cache_read_tokens: cacheReadTokens }),
    ...(cacheWriteTokens === 0 ? {} : { cache_write_tokens: cacheWriteTokens }),
    ...(reasoning === 0 ? {} : { output_reasoning_tokens: reasoning }),
  };
}

/** Large enough for every step of a price that depends on size. */
const probe: Usage = {
  inputTokens: 4_000_037,
  outputTokens: 1_000_003,
  cacheReadTokens: 1_000_033,
  cacheWriteTokens: 500_009,
  reasoningTokens: 300_007,
};

/** The price as one sum, if it does not change within the day and the package adds up to the same. */
function plainPrice(found: NonNullable<ReturnType<GenaiPrices['calcPrice']>>): ModelPrice | null {
  if (!isSameAllDay(found.model.prices)) return null;
  const per = (key: string): number | undefined => {
    const usd = found.model_price[`${key}_mtok`];
    return typeof usd === 'number' ? usd : undefined;
  };
  const [input, output] = [per('input'), per('output')];
  if (input === undefined || output === undefined) return null;
  const price = {
    input,
    output,
    cacheRead: per('cache_read'),
    cacheWrite: per('cache_write'),
    reasoning: per('output_reasoning'),
  };
  const own = costOf(price, probe) ?? Number.NaN;
  return Math.abs(own - found.total_price) < 1e-9 * Math.max(1, own) ? price : null;
}

function isSameAllDay(prices: unknown): boolean {
  if (!Array.isArray(prices)) return true;
  return prices.every(
    (price: { readonly constraint?: { readonly type?: unknown } }) =>
      price.constraint === undefined || price.constraint.type === 'start_date',
  );
}
