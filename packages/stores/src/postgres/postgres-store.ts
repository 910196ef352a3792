import {
  SessionInputError,
  type SessionStore,
  SessionStoreUnavailableError,
} from '@lexigram/ai-session';
import {
  type Changes,
  type ChangesPage,
  type Commit,
  type CommitResult,
  type DueItem,
  type DuePage,
  type EraseRequest,
  type EraseResult,
  type NewSession,
  OptimisticCommits,
  type ReportPage,
  type ReportQuery,
  type Wake,
} from '@lexigram/ai-session/store';
import { ReadingStore } from '../reading-store.ts';
import { ServerClock } from '../server-clock.ts';
import type { PostgresClientFactory, PostgresPool, RunSql } from './client.ts';
import { Connections } from './connections.ts';
import { PostgresEngine } from './engine.ts';
import { isTransient, toSessionError } from './faults.ts';
import { type PostgresOptions, type PostgresSettings, parsePostgresOptions } from './options.ts';
import { createPool } from './pool.ts';
import { Reader } from './reader.ts';
import { readReport } from './report.ts';
import { openSchema, type Tables } from './schema.ts';
import { Sweep } from './sweep.ts';
import { readPostgresUrl } from './url.ts';
import { Usage } from './usage.ts';
import { Bell, Watch } from './watch.ts';

/** What a store is opened over. */
type Source = string | PostgresPool | PostgresClientFactory;

/**
 * Sessions in PostgreSQL, through the package `pg`, or a pool or clients of your own. Any number of processes may use
 * one schema; a commit is one statement. Nothing in it needs a connection for itself, so that it works behind a
 * pooler in transaction mode.
 */
export class PostgresSessionStore extends ReadingStore implements SessionStore {
  /** Those that are ours to end. */
  readonly #pools: readonly PostgresPool[];
  readonly #connections: Connections;
  readonly #settings: PostgresSettings;
  readonly #clock: ServerClock;
  readonly #commits: OptimisticCommits;
  protected override readonly reader: Reader;
  readonly #usage: Usage;
  readonly #sweep: Sweep;
  readonly #watch: Watch;
  #closing: Promise<void> | undefined;

  private constructor(
    connections: Connections,
    pools: readonly PostgresPool[],
    bells: PostgresPool | null,
    settings: PostgresSettings,
    clock: ServerClock,
    tables: Tables,
  ) {
    super();
    const { callTimeoutMs, schema } = settings;
    this.#pools = pools;
    this.#connections = connections;
    this.#settings = settings;
    this.#clock = clock;
    const read: RunSql = (text, ...values) => this.#query(text, values, this.#until());
    const bell = new Bell(read, schema);
    const engine = new PostgresEngine(connections, schema, clock, tables, (isHeard) => {
      this.#watch.committed();
      if (isHeard) bell.ring();
    });
    this.#commits = new OptimisticCommits(engine, { callTimeoutMs });
    this.reader = new Reader(read, schema, () => clock.now());
    this.#usage = new Usage(schema);
    this.#sweep = new Sweep(schema, this.#usage);
    this.#watch = new Watch(read, schema, bells);
  }

  /**
   * Opens a database and brings its tables up to date.
   *
   * @param source a URL, also with `?schema=name` and `?pooler=transaction`; or a pool like that of `pg`, which stays
   * yours to end; or a function that makes and connects a client, which is the store's from then on: it calls it for
   * each of up to `maxConnections` that it needs, and ends them
   * @throws SessionInputError; SessionStoreUnavailableError if the server cannot be reached;
   * SessionUnsupportedError if `pg` is not installed, if the server is too old or not UTF8, if a newer version
   * wrote the tables, or if another program has tables of our names in the schema
   */
  static async open(source: Source, options: PostgresOptions = {}): Promise<PostgresSessionStore> {
    const read = typeof source === 'string' ? readPostgresUrl(source, options) : null;
    const settings = parsePostgresOptions(read?.options ?? options);
    const over = read?.url ?? source;
    const isOurs = typeof over === 'string' || typeof over === 'function';
    if (!isOurs && typeof over?.connect !== 'function') {
      throw new SessionInputError(
        'source',
        'expected a URL, a pool with connect(), or a function that makes a client',
      );
    }
    const clock = new ServerClock(settings.clock);
    const wanted = settings.synchronous === 'normal' ? 'off' : null;
    let pool = isOurs ? await createPool(over, settings, wanted) : over;
    try {
      let connections = new Connections(pool, settings);
      const until = performance.now() + settings.callTimeoutMs;
      const { synchronous, tables } = await openSchema(connections, settings.schema, until);
      if (synchronous === 'off' && settings.synchronous === 'full') {
        if (isOurs && !settings.behindPooler) {
          // The server's own default would lose what was acknowledged.
          await pool.end?.();
          pool = await createPool(over, settings, 'on');
          connections = new Connections(pool, settings);
        } else {
          process.emitWarning(
            'The connections have synchronous_commit = off: a crash of the server may take what was acknowledged',
            { code: 'LEX_POSTGRES_SYNCHRONOUS' },
          );
        }
      }
      const bells = await createBells(over, settings);
      const pools = [
        ...(isOurs ? [pool] : []),
        ...(bells === null || bells === over ? [] : [bells]),
      ];
      const store = new PostgresSessionStore(connections, pools, bells, settings, clock, tables);
      await store.#readClock();
      return store;
    } catch (error) {
      if (isOurs) await pool.end?.();
      throw toSessionError(error);
    }
  }

  #until(): number {
    return performance.now() + this.#settings.callTimeoutMs;
  }

  async #readClock(): Promise<void> {
    const asked = Date.now();
    const [row] = await this.#query(
      'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS clock',
      [],
      this.#until(),
    );
    this.#clock.observe(asked, row?.clock as number);
  }

  #query(
    text: string,
    values: readonly unknown[],
    until: number,
  ): Promise<Record<string, unknown>[]> {
    return this.#connections.read({ text, values }, until);
  }

  create(session: NewSession): Promise<CommitResult> {
    return this.#closing === undefined
      ? this.#commits.create(session)
      : Promise.reject(closedError());
  }

  commit(sessionId: string, commit: Commit): Promise<CommitResult> {
    return this.#closing === undefined
      ? this.#commits.commit(sessionId, commit)
      : Promise.reject(closedError());
  }

  async erase(sessionId: string, request: EraseRequest): Promise<EraseResult> {
    this.checkOpen();
    try {
      // What was erased stays erased: the same again goes on from there.
      return await this.#transaction(async (run) => {
        const now = (): number => this.#clock.now();
        const result = await this.#sweep.erase(run, now, sessionId, request);
        await run('COMMIT');
        return result;
      });
    } finally {
      this.#commits.forget(sessionId);
      this.#watch.committed();
    }
  }

  /** Statements in one transaction, again if it was lost: for work that may be repeated. */
  async #transaction<T>(work: (run: RunSql) => Promise<T>): Promise<T> {
    const until = this.#until();
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#connections.transaction(until, (runner) =>
          work(async (text, ...values) => (await runner.run({ text, values }, until)).rows),
        );
      } catch (error) {
        const fault = toSessionError(error);
        const waitMs = Math.min(200, 5 * 2 ** attempt);
        if (!isTransient(error) || performance.now() + waitMs >= until) throw fault;
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
  }

  async collect(request: { readonly before: number; readonly limit: number }): Promise<number> {
    this.checkOpen();
    // Sweepers that run at once need not wait for one another here.
    await this.#settleUsage(false);
    return this.#sweep.collect(this.#run(), this.#clock.now(), request.before, request.limit);
  }

  /** Rolls up all turns but those that may have others before them, some in each transaction. */
  async #settleUsage(waits: boolean): Promise<void> {
    const settle = (): Promise<boolean> =>
      this.#transaction(async (run) => {
        const isAll = await this.#usage.settle(run, waits);
        await run('COMMIT');
        return isAll;
      });
    while (!(await settle()));
  }

  async report(query: ReportQuery): Promise<ReportPage> {
    this.checkOpen();
    await this.#settleUsage(true);
    // What is left is added only to be read: this transaction is undone.
    return this.#transaction(async (run) => {
      await this.#usage.addRest(run);
      return readReport(run, this.#settings.schema, query);
    });
  }

  async changes(page: ChangesPage): Promise<Changes> {
    this.checkOpen();
    return this.reader.changes(page);
  }

  watch(wake: (wake: Wake) => void): () => void {
    this.checkOpen();
    return this.#watch.add(wake);
  }

  async due(page: DuePage): Promise<readonly DueItem[]> {
    this.checkOpen();
    return page.kind === undefined
      ? this.#sweep.due(this.#run(), this.#clock.now(), page)
      : this.reader.dueRecords(page);
  }

  /** Statements of the sweep one by one: each may be repeated, and stands alone. */
  #run(): RunSql {
    const until = this.#until();
    return (text, ...values) => this.#query(text, values, until);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#watch.close();
    await this.#commits.settled();
    this.#connections.settle();
    await Promise.all(this.#pools.map((pool) => pool.end?.()));
  }

  protected override checkOpen(): void {
    if (this.#closing !== undefined) throw closedError();
  }
}

/** Where one connection listens for whoever watches; none is made before. Null if nobody can listen. */
async function createBells(
  source: Source,
  settings: PostgresSettings,
): Promise<PostgresPool | null> {
  const { behindPooler, directUrl } = settings;
  const alone = { ...settings, behindPooler: false, maxConnections: 1 };
  if (behindPooler) return directUrl === undefined ? null : createPool(directUrl, alone, null);
  return typeof source === 'object' ? source : createPool(source, alone, null);
}

function closedError(): SessionStoreUnavailableError {
  return new SessionStoreUnavailableError('closed', 'the store was closed');
}
