import { SessionInputError } from '@lexigram/ai-session';

/** How a database of Postgres is used. */
export interface PostgresOptions {
  /** The schema that holds the tables; made if it is not there. `public`. */
  readonly schema?: string | undefined;
  /**
   * `full`, the default: what was acknowledged survives a crash of the server. `normal`: such a crash may take the
   * last moments (`synchronous_commit = off`). Has no effect on a pool of your own.
   */
  readonly synchronous?: 'full' | 'normal' | undefined;
  /**
   * Whether a pooler in transaction mode stands between: then no statement is prepared under a name, and the
   * server's time-outs are those of the role.
   */
  readonly behindPooler?: boolean | undefined;
  /**
   * Behind a pooler: the URL that leads past it, for the one connection that listens while somebody subscribes to
   * events. Without it nobody listens, and what other processes do is looked for a few times a second.
   */
  readonly directUrl?: string | undefined;
  /** Connections at most, if the store makes them, or a factory; 10. */
  readonly maxConnections?: number | undefined;
  /** How long a connection may take to be there; 3,000 ms. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long a call may take in all, lost connections and lost races included; 5,000 ms. */
  readonly callTimeoutMs?: number | undefined;
  /** How long the server works on a statement; 5,000 ms. */
  readonly statementTimeoutMs?: number | undefined;
  /** How long a statement waits for a lock; 2,000 ms. */
  readonly lockTimeoutMs?: number | undefined;
  /** How long the server keeps a transaction whose process says nothing; 10,000 ms. */
  readonly idleInTransactionTimeoutMs?: number | undefined;
  /** Milliseconds since 1970: a clock in place of the server's. */
  readonly clock?: (() => number) | undefined;
}

export type PostgresSettings = {
  readonly [K in Exclude<keyof PostgresOptions, Optional>]-?: NonNullable<PostgresOptions[K]>;
} & { readonly [K in Optional]: PostgresOptions[K] };

type Optional = 'clock' | 'directUrl';

const numbers = {
  maxConnections: 10,
  connectTimeoutMs: 3_000,
  callTimeoutMs: 5_000,
  statementTimeoutMs: 5_000,
  lockTimeoutMs: 2_000,
  idleInTransactionTimeoutMs: 10_000,
} as const;

const known: ReadonlySet<string> = new Set([
  ...Object.keys(numbers),
  'schema',
  'synchronous',
  'behindPooler',
  'clock',
  'directUrl',
]);

/** @throws SessionInputError */
export function parsePostgresOptions(options: PostgresOptions = {}): PostgresSettings {
  const unknown = Object.keys(options).find((key) => !known.has(key));
  if (unknown !== undefined) {
    throw new SessionInputError('options', `has the unknown field '${unknown.slice(0, 40)}'`);
  }
  const { behindPooler = false, clock, directUrl, schema = 'public' } = options;
  const { synchronous = 'full' } = options;
  if (typeof behindPooler !== 'boolean') {
    throw new SessionInputError('options.behindPooler', 'expected true or false');
  }
  if (directUrl !== undefined) checkDirectUrl(directUrl, behindPooler);
  if (synchronous !== 'full' && synchronous !== 'normal') {
    throw new SessionInputError('options.synchronous', "expected 'full' or 'normal'");
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
  return { ...read, schema: checkSchemaName(schema), synchronous, behindPooler, directUrl, clock };
}

/** What is wrong with it is told without it: it may have a password. */
function checkDirectUrl(url: unknown, behindPooler: boolean): void {
  if (!behindPooler) {
    throw new SessionInputError('options.directUrl', 'is only of use with behindPooler: true');
  }
  if (typeof url !== 'string' || !/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
    throw new SessionInputError(
      'options.directUrl',
      "expected a URL like 'postgres://host/database'",
    );
  }
}

/** The name of a schema stands in the text of every statement, so it is nothing but a plain name. */
function checkSchemaName(schema: unknown): string {
  if (typeof schema === 'string' && /^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    if (!schema.startsWith('pg_') && schema !== 'information_schema') return schema;
  }
  throw new SessionInputError(
    'options.schema',
    'expected 1–63 of a–z, 0–9 and _, not starting with a digit or pg_',
  );
}
