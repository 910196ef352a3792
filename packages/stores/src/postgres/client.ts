/** A statement as `pg` takes it. */
export interface PostgresQuery {
  readonly text: string;
  readonly values?: unknown[];
  /** Prepared under this name, once for each connection. */
  readonly name?: string;
  readonly types?: { getTypeParser(oid: number, format?: string): (value: never) => unknown };
}

export type SqlRow = Record<string, unknown>;

/** What came of a statement. */
export interface PostgresAnswer {
  readonly rows: SqlRow[];
  /** How many rows it wrote, or read. */
  readonly rowCount: number | null;
}

/** Runs one statement and answers its rows. */
export type RunSql = (text: string, ...values: readonly unknown[]) => Promise<SqlRow[]>;

/** A connection to Postgres. */
interface Connection {
  query(query: PostgresQuery): Promise<PostgresAnswer>;
  on?(event: 'error' | 'notification', listener: () => void): unknown;
  off?(event: 'error', listener: () => void): unknown;
  /** From here on it keeps no process alive. */
  unref?(): void;
}

/** A connection that a pool lends. */
export interface PostgresClient extends Connection {
  /** Gives it back; with `true` or an error it is destroyed. */
  release(destroy?: boolean | Error): void;
}

/** A connection of your own making that is handed over: a connected `pg.Client` is one. */
export interface PostgresConnection extends Connection {
  end(): Promise<void>;
}

/** Makes and connects a client, a new one each time. */
export type PostgresClientFactory = () => Promise<PostgresConnection>;

/** What is needed of a pool: `pg.Pool` is one. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
  /** Called when the store is closed, if the store made the pool. */
  end?(): Promise<void>;
}

type Parser = (value: string) => unknown;

const toText: Parser = (value) => value;
/** Numbers of rows never pass 2^53: what adds them up refuses before. */
const toNumber: Parser = Number;
const toBoolean: Parser = (value) => value === 't';

const parsers: ReadonlyMap<number, Parser> = new Map([
  [16, toBoolean],
  [20, toNumber],
  [21, toNumber],
  [23, toNumber],
]);

/** Types as our rows have them, whatever the pool's owner has set for itself. */
export const types: NonNullable<PostgresQuery['types']> = {
  getTypeParser: (oid) => (parsers.get(oid) ?? toText) as (value: never) => unknown,
};
