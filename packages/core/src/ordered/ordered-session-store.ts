import { SessionStoreUnavailableError, SessionUnsupportedError } from '../errors.ts';
import { commitIn } from '../store/commit-in.ts';
import { createIn } from '../store/create-in.ts';
import type {
  Changes,
  ChangesPage,
  Commit,
  CommitResult,
  DuePage,
  EraseRequest,
  EraseResult,
  FeedPage,
  KeyPage,
  ListQuery,
  NewSession,
  NumberPage,
  ReportQuery,
  SessionStore,
  TurnPage,
  Wake,
} from '../store/port.ts';
import type {
  DueItem,
  FeedItem,
  Owner,
  RecordRow,
  ReportPage,
  Segment,
  SessionRow,
  TimelineRow,
  TurnRow,
  VariablesRow,
  VariablesVersion,
} from '../store/rows.ts';
import type { OrderedEngine } from './ordered-engine.ts';
import { OrderedReads } from './ordered-reads.ts';
import { collect, erase, listDue } from './ordered-sweep.ts';
import { OrderedTransaction } from './ordered-transaction.ts';
import { counters } from './schema.ts';
import { Tables } from './tables.ts';

export interface OrderedSessionStoreOptions {
  /** Milliseconds since 1970: the store's clock. */
  readonly clock?: (() => number) | undefined;
}

/** How often it is looked whether another process has written, while somebody watches. */
const lookEveryMs = 500;

/**
 * Sessions in any engine that keeps rows in order of their keys: all rules and all reads of a store are here, and
 * the engine only reads and writes. What an append costs does not depend on the length of a history. What is
 * counted is read: a cap of sessions reads those of the user, a cap of records the session's of that kind.
 */
export class OrderedSessionStore implements SessionStore {
  readonly #engine: OrderedEngine;
  readonly #clock: () => number;
  readonly #watchers = new Set<(wake: Wake) => void>();
  #looking: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  private constructor(engine: OrderedEngine, clock: () => number) {
    this.#engine = engine;
    this.#clock = clock;
  }

  /**
   * The engine is the store's from now on, and closed with it. It has no other rows.
   *
   * @throws SessionUnsupportedError if a newer version wrote its rows; whatever the engine throws
   */
  static async open(
    engine: OrderedEngine,
    { clock = Date.now }: OrderedSessionStoreOptions = {},
  ): Promise<OrderedSessionStore> {
    await engine.write((rows) => checkSchema(new Tables(rows)));
    return new OrderedSessionStore(engine, clock);
  }

  create(session: NewSession): Promise<CommitResult> {
    return this.#write((tx) => createIn(tx, session));
  }

  commit(sessionId: string, commit: Commit): Promise<CommitResult> {
    return this.#write((tx) => commitIn(tx, sessionId, commit));
  }

  erase(sessionId: string, request: EraseRequest): Promise<EraseResult> {
    return this.#write((tx) => erase(tx, sessionId, request));
  }

  collect(request: { readonly before: number; readonly limit: number }): Promise<number> {
    return this.#write((tx) => collect(tx, request.before, request.limit));
  }

  due(page: DuePage): Promise<readonly DueItem[]> {
    return this.#write((tx) => listDue(tx, page));
  }

  async #write<T>(work: (tx: OrderedTransaction) => T): Promise<T> {
    this.#checkOpen();
    const result = await this.#engine.write((rows) =>
      work(new OrderedTransaction(new Tables(rows), this.#clock())),
    );
    this.#wake();
    return result;
  }

  async #read<T>(work: (reads: OrderedReads) => T): Promise<T> {
    this.#checkOpen();
    return this.#engine.read((rows) =>
      work(new OrderedReads(new OrderedTransaction(new Tables(rows), this.#clock()))),
    );
  }

  #checkOpen(): void {
    if (this.#closing === undefined) return;
    throw new SessionStoreUnavailableError('closed', 'the store was closed');
  }

  session(sessionId: string, owner?: Owner): Promise<SessionRow | null> {
    return this.#read((reads) => reads.session(sessionId, owner));
  }

  timelines(ids: readonly string[]): Promise<readonly (TimelineRow | null)[]> {
    return this.#read((reads) => reads.timelines(ids));
  }

  startingAt(
    sessionId: string,
    base: { readonly timelineId: string; readonly seq: number },
    page: NumberPage,
  ): Promise<readonly TimelineRow[]> {
    return this.#read((reads) => reads.startingAt(sessionId, base, page));
  }

  turns(segments: readonly Segment[], page: TurnPage): Promise<readonly TurnRow[]> {
    return this.#read((reads) => reads.turns(segments, page));
  }

  findTurns(turnId: string, sessionIds: readonly string[]): Promise<readonly TurnRow[]> {
    return this.#read((reads) => reads.findTurns(turnId, sessionIds));
  }

  variables(at: VariablesVersion): Promise<VariablesRow | null> {
    return this.#read((reads) => reads.variables(at));
  }

  record(sessionId: string, kind: string, key: string): Promise<RecordRow | null> {
    return this.#read((reads) => reads.record(sessionId, kind, key));
  }

  records(sessionId: string, kind: string, page: KeyPage): Promise<readonly RecordRow[]> {
    return this.#read((reads) => reads.records(sessionId, kind, page));
  }

  list(query: ListQuery): Promise<readonly SessionRow[]> {
    return this.#read((reads) => reads.list(query));
  }

  feed(sessionId: string, page: FeedPage): Promise<readonly FeedItem[]> {
    return this.#read((reads) => reads.feed(sessionId, page));
  }

  report(query: ReportQuery): Promise<ReportPage> {
    return this.#read((reads) => reads.report(query));
  }

  changes(page: ChangesPage): Promise<Changes> {
    return this.#read((reads) => reads.changes(page));
  }

  watch(wake: (wake: Wake) => void): () => void {
    this.#checkOpen();
    const watcher = (told: Wake): void => wake(told);
    this.#watchers.add(watcher);
    this.#looking ??= this.#look();
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.#stopLooking();
    };
  }

  #wake(): void {
    for (const wake of this.#watchers) queueMicrotask(() => wake({ from: null, sessions: null }));
  }

  /** Wakes for what other processes write. */
  #look(): NodeJS.Timeout {
    let last: string | undefined;
    const look = async (): Promise<void> => {
      // Whoever is woken reads, and is told what does not work.
      const { next } = await this.changes({ after: null, limit: 1 }).catch(() => ({ next: last }));
      if (next !== last) this.#wake();
      last = next;
    };
    return setInterval(() => void look(), lookEveryMs).unref();
  }

  #stopLooking(): void {
    clearInterval(this.#looking);
    this.#looking = undefined;
  }

  close(): Promise<void> {
    this.#watchers.clear();
    this.#stopLooking();
    this.#closing ??= this.#engine.close();
    return this.#closing;
  }
}

/** Goes up when rows of another form are written. */
const schemaVersion = 1;

function checkSchema(tables: Tables): void {
  const version = tables.get(counters, 'schema');
  if (version === undefined) tables.put(counters, schemaVersion, 'schema');
  else if (version !== schemaVersion) {
    throw new SessionUnsupportedError(
      `The rows have schema ${version}, and this version of the package knows schema ${schemaVersion}`,
    );
  }
}
