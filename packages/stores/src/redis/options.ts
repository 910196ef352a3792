import { SessionInputError } from '@lexigram/ai-session';

/** How a Redis is used. */
export interface RedisOptions {
  /** What all keys begin with; `lex:`. */
  readonly prefix?: string | undefined;
  /** How long a connection may take to be there; 3,000 ms. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long a call may take in all, lost connections and lost races included; 5,000 ms. */
  readonly callTimeoutMs?: number | undefined;
  /** Milliseconds since 1970: a clock in place of the server's. */
  readonly clock?: (() => number) | undefined;
}

export interface RedisSettings {
  readonly prefix: string;
  readonly connectTimeoutMs: number;
  readonly callTimeoutMs: number;
  readonly clock: (() => number) | undefined;
}

const numbers = { connectTimeoutMs: 3_000, callTimeoutMs: 5_000 } as const;
const known: ReadonlySet<string> = new Set([...Object.keys(numbers), 'prefix', 'clock']);

/** @throws SessionInputError */
export function parseRedisOptions(options: RedisOptions = {}): RedisSettings {
  const unknown = Object.keys(options).find((key) => !known.has(key));
  if (unknown !== undefined) {
    throw new SessionInputError('options', `has the unknown field '${unknown.slice(0, 40)}'`);
  }
  const { clock, prefix = 'lex:' } = options;
  if (typeof prefix !== 'string' || !/^[A-Za-z0-9_:.-]{0,64}$/.test(prefix)) {
    throw new SessionInputError('options.prefix', 'expected up to 64 of A–Z a–z 0–9 _ : . -');
  }
  if (clock !== undefined && typeof clock !== 'function') {
    throw new SessionInputError('options.clock', 'expected a function');
  }
  const read = { ...numbers } as Record<keyof typeof numbers, number>;
  for (const name of Object.keys(numbers) as (keyof typeof numbers)[]) {
    const value = options[name] ?? numbers[name];
    if (!Number.isSafeInteger(value) || value < 1 || value > 2_147_483_647) {
      throw new SessionInputError(`options.${name}`, 'expected a whole number from 1');
    }
    read[name] = value;
  }
  return { ...read, prefix, clock };
}
