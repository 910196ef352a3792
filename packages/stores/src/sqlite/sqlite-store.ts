import { DatabaseSync } from 'node:sqlite';
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
  commitIn,
  createIn,
  type DueItem,
  type DuePage,
  type EraseRequest,
  type EraseResult,
  type FeedItem,
  type FeedPage,
  type KeyPage,
  type ListQuery,
  type NewSession,
  type NumberPage,
  type Owner,
  type RecordRow,
  type ReportPage,
  type ReportQuery,
  type Segment,
  type SessionRow,
  type TimelineRow,
  type TurnPage,
  type TurnRow,
  type VariablesRow,
  type VariablesVersion,
  type Wake,
} from '@lexigram/ai-session/store';
import { isBusy, rollBack, toSessionError } from './faults.ts';
import { pause } from './pause.ts';
import { Reader } from './reader.ts';
import { readReport } from './report.ts';
import { checkSchema, migrate, schemaVersion } from './schema.ts';
import { Statements } from './statements.ts';
import { Sweep } from './sweep.ts';
import { SqliteTransaction } from './transaction.ts';
import { UsageBehind } from './usage.ts';
import { Watch } from './watch.ts';
import { Writer } from './writer.ts';

/** How a SQLite file is opened. */
export interface SqliteOptions {
  /**
   * `full`, the default: what was acknowledged survives a power cut. `normal`: it survives a crash of the
   * process, and a power cut may take the last moments.
   */
  readonly synchronous?: 'full' | 'normal' | undefined;
  /** How long a write waits for the lock of another process before it fails; 5,000 ms. */
  readonly lockTimeoutMs?: number | undefined;
  /** Milliseconds since 1970: the store's clock. */
  readonly clock?: (() => number) | undefined;
}

/**
 * Pages of the WAL (4 KiB each) at which a commit writes them back into the file. Four times SQLite's own number:
 * a page that many turns changed is then written back once, and the two syncs of it are paid four times less often.
 */
const walPages = 4_000;

/** The longest that the engine itself may wait for a lock, and so block the event loop. */
const blockingWaitMs = 5;

/**
 * Sessions in a SQLite file, through `node:sqlite`, in WAL mode. Many processes may use one file on one machine.
 * Writes of the same tick share one transaction; see `Writer`.
 */
export class SqliteSessionStore implements SessionStore {
  readonly #path: string;
  readonly #db: DatabaseSync;

  readonly #tx: SqliteTransaction;
  readonly #reader: Reader;
  readonly #sweep: Sweep;
  readonly #writer: Writer;
  readonly #watch: Watch;
  #closing: Promise<void> | undefined;

  private constructor(db: DatabaseSync, path: string, clock: () => number, timeoutMs: number) {
    this.#path = path;
    this.#db = db;

    const statements = new Statements(db);
    this.#tx = new SqliteTransaction(statements);
    this.#reader = new Reader(db, statements, clock);
    this.#sweep = new Sweep(db, this.#tx);
    this.#watch = new Watch(statements);
    this.#writer = new Writer(db, path, timeoutMs, {
      begin: () => this.#tx.begin(clock()),
      commit: () => this.#watch.committed(),
      rollback: () => this.#tx.forget(),
    });
  }

  /**
   * Opens a file, makes it if it is not there, and brings its schema up to date.
   *
   * @param path a file's path, or `:memory:`
   * @throws SessionStoreUnavailableError if it cannot be opened; SessionCorruptDataError if it is no database;
   * SessionUnsupportedError if a newer version wrote it, or if another program has tables of our names in it
   */
  static async open(path: string, options: SqliteOptions = {}): Promise<SqliteSessionStore> {
    const { clock = Date.now, lockTimeoutMs = 5_000, synchronous = 'full' } = options;
    checkPath(path);
    checkEngine();
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(path);
      db.exec(`PRAGMA busy_timeout = ${blockingWaitMs}`);
      await upgrade(db, lockTimeoutMs);
      db.exec(`PRAGMA synchronous = ${synchronous === 'normal' ? 'NORMAL' : 'FULL'}`);
      db.exec(`PRAGMA wal_autocheckpoint = ${walPages}`);
      return new SqliteSessionStore(db, path, clock, lockTimeoutMs);
    } catch (error) {
      db?.close();
      throw toSessionError(error, path);
    }
  }

  create(session: NewSession): Promise<CommitResult> {
    return this.#write((tx) => createIn(tx, session));
  }

  commit(sessionId: string, commit: Commit): Promise<CommitResult> {
    const owner = commit.append?.budget?.owner ?? null;
    if (owner !== null) return this.#commitInBudget(sessionId, commit);
    return this.#write((tx) => commitIn(tx, sessionId, commit));
  }

  /** A budget of all of an owner's sessions holds exactly, across processes: what it needs is rolled up first. */
  async #commitInBudget(sessionId: string, commit: Commit): Promise<CommitResult> {
    for (;;) {
      try {
        return await this.#write((tx) => commitIn(tx, sessionId, commit));
      } catch (error) {
        if (!(error instanceof UsageBehind)) throw error;
      }
      await this.#settleUsage();
    }
  }

  /** Rolls up all turns, some in each transaction. */
  async #settleUsage(): Promise<void> {
    while (!(await this.#write((tx) => tx.usage.settle())));
  }

  erase(sessionId: string, request: EraseRequest): Promise<EraseResult> {
    return this.#write(() => this.#sweep.erase(sessionId, request));
  }

  async collect(request: { readonly before: number; readonly limit: number }): Promise<number> {
    await this.#settleUsage();
    return this.#write(() => this.#sweep.collect(request.before, request.limit));
  }

  async due(page: DuePage): Promise<readonly DueItem[]> {
    return page.kind === undefined
      ? this.#write(() => this.#sweep.due(page))
      : this.#read(() => this.#reader.dueRecords(page));
  }

  #write<T>(work: (tx: SqliteTransaction) => T): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(closed());
    return this.#writer.run(() => work(this.#tx));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#watch.close();
    await this.#writer.settled();
    this.#db.close();
  }

  async session(sessionId: string, owner?: Owner): Promise<SessionRow | null> {
    return this.#read(() => this.#reader.session(sessionId, owner));
  }

  async timelines(ids: readonly string[]): Promise<readonly (TimelineRow | null)[]> {
    return this.#read(() => this.#reader.timelines(ids));
  }

  async startingAt(
    sessionId: string,
    base: { readonly timelineId: string; readonly seq: number },
    page: NumberPage,
  ): Promise<readonly TimelineRow[]> {
    return this.#read(() => this.#reader.startingAt(sessionId, base, page));
  }

  async turns(segments: readonly Segment[], page: TurnPage): Promise<readonly TurnRow[]> {
    return this.#read(() => this.#reader.turns(segments, page));
  }

  async findTurns(turnId: string, sessionIds: readonly string[]): Promise<readonly TurnRow[]> {
    return this.#read(() => this.#reader.findTurns(turnId, sessionIds));
  }

  async variables(at: VariablesVersion): Promise<VariablesRow | null> {
    return this.#read(() => this.#tx.variables(at) ?? null);
  }

  async record(sessionId: string, kind: string, key: string): Promise<RecordRow | null> {
    return this.#read(() => this.#reader.record(sessionId, kind, key));
  }

  async records(sessionId: string, kind: string, page: KeyPage): Promise<readonly RecordRow[]> {
    return this.#read(() => this.#reader.records(sessionId, kind, page));
  }

  async list(query: ListQuery): Promise<readonly SessionRow[]> {
    return this.#read(() => this.#reader.list(query));
  }

  async feed(sessionId: string, page: FeedPage): Promise<readonly FeedItem[]> {
    return this.#read(() => this.#reader.feed(sessionId, page));
  }

  async report(query: ReportQuery): Promise<ReportPage> {
    await this.#settleUsage();
    return this.#read(() => readReport(this.#db, query));
  }

  async changes(page: ChangesPage): Promise<Changes> {
    return this.#read(() => this.#reader.changes(page));
  }

  watch(wake: (wake: Wake) => void): () => void {
    return this.#read(() => this.#watch.add(wake));
  }

  #read<T>(read: () => T): T {
    this.#checkOpen();
    try {
      return read();
    } catch (error) {
      throw toSessionError(error, this.#path);
    }
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw closed();
  }
}

function closed(): SessionStoreUnavailableError {
  return new SessionStoreUnavailableError('closed', 'the store was closed');
}

function checkPath(path: unknown): void {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return;
  throw new SessionInputError('path', "expected the path of a file, or ':memory:'");
}

/** Switches to WAL and migrates; of many processes that start at once one does it and the others wait. */
async function upgrade(db: DatabaseSync, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (let attempt = 1; ; attempt++) {
    try {
      upgradeNow(db);
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error;
    }
    await pause(attempt);
  }
}

function upgradeNow(db: DatabaseSync): void {
  const version = checkSchema(db);
  // A copy that `VACUUM INTO` made has another journal.
  db.exec('PRAGMA journal_mode = WAL');
  if (version === schemaVersion) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    migrate(db);
    db.exec('COMMIT');
  } catch (error) {
    rollBack(db);
    throw error;
  }
}

/** SQLite before 3.51.3 can lose writes when several connections reset a WAL: https://sqlite.org/wal.html */
function checkEngine(): void {
  const version = process.versions.sqlite;
  const [major = 0, minor = 0, patch = 0] = (version ?? '0').split('.').map(Number);
  if (major * 1e6 + minor * 1e3 + patch < 3_051_003) {
    process.emitWarning(
      `SQLite ${version} has a known fault when several processes share a file in WAL mode; use a Node with SQLite 3.51.3 or newer`,
      { code: 'LEX_SQLITE_VERSION' },
    );
  }
}
