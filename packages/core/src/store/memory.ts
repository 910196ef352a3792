import { SessionStoreUnavailableError } from '../errors.ts';
import { parseTimelineId } from '../session/ids.ts';
import { commitIn } from './commit-in.ts';
import { createIn } from './create-in.ts';
import { hasMetadata, isListedAfter, listOrder } from './list-query.ts';
import type { MemorySession } from './memory-session.ts';
import { MemorySessions } from './memory-sessions.ts';
import { MemoryTransaction } from './memory-transaction.ts';
import { deletedBy } from './operations.ts';
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
  StagedTimeline,
  TurnPage,
  Wake,
} from './port.ts';
import type {
  DueItem,
  FeedItem,
  Owner,
  RecordRow,
  ReportPage,
  Segment,
  SessionHead,
  SessionRow,
  TimelineRow,
  TurnRow,
  VariablesRow,
  VariablesVersion,
} from './rows.ts';
import { isVisible, lookAgain, meetsGuard, statusAt, toSessionHead } from './transaction.ts';

/** Options of a store that lives in this process. */
export interface InMemorySessionStoreOptions {
  /** Milliseconds since 1970: the store's clock. */
  readonly clock?: () => number;
}

/**
 * Sessions in this process's memory: the reference that every other store is compared with, and the one to
 * test with. What it holds is gone with the process.
 */
export class InMemorySessionStore implements SessionStore {
  readonly #clock: () => number;
  readonly #sessions = new MemorySessions();
  #closed = false;

  constructor(options: InMemorySessionStoreOptions = {}) {
    this.#clock = options.clock ?? Date.now;
  }

  async create(session: NewSession): Promise<CommitResult> {
    return createIn(this.#begin(), session);
  }

  async commit(sessionId: string, commit: Commit): Promise<CommitResult> {
    return commitIn(this.#begin(), sessionId, commit);
  }

  async erase(sessionId: string, request: EraseRequest): Promise<EraseResult> {
    this.#checkOpen();
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return notFound;
    if (request.staged !== undefined) return this.#eraseStaged(session, request.staged, request);
    let buried: SessionHead | null = null;
    if (session.row.status !== 'deleted') {
      if (!isVisible(session.row, request.owner)) return notFound;
      const now = this.#clock();
      const before = toSessionHead(session.row, now);
      session.bury(now);
      buried = { ...before, revision: session.row.revision, updatedAt: now };
      if (request.operation !== undefined) session.records.put(deletedBy(request.operation, now));
    }
    const parent = session.row.parentSessionId;
    if (request.keep === undefined) return { found: true, done: false, parent, buried };
    this.#sessions.settle();
    const done = session.shrink(request.keep, request.limit);
    if (done) session.row = { ...session.row, dueAt: null };
    return { found: true, done, parent, buried };
  }

  #eraseStaged(
    session: MemorySession,
    { guard, timelineId }: StagedTimeline,
    { limit, owner }: EraseRequest,
  ): EraseResult {
    const { row } = session;
    const stands = meetsGuard(session.records.get(guard.kind, guard.key), guard, this.#clock());
    const current = toSessionHead(row, this.#clock()).head.timelineId;
    if (!isVisible(row, owner) || !stands || timelineId === current) return notFound;
    this.#sessions.settle();
    const done = session.dropTimeline(timelineId, limit);
    if (done) session.records.delete(guard.kind, guard.key);
    return { ...notFound, found: true, done };
  }

  async collect(request: { readonly before: number; readonly limit: number }): Promise<number> {
    this.#checkOpen();
    const now = this.#clock();
    let dropped = 0;
    for (const session of this.#sessions.values()) {
      if (dropped >= request.limit) break;
      dropped += session.forget(request.before, now, request.limit - dropped);
      if (session.row.status === 'deleted' && session.row.dueAt === null) {
        if (session.row.updatedAt < request.before && session.isEmpty) {
          this.#sessions.delete(session);
          dropped += 1;
        }
      }
    }
    return dropped;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#sessions.log.close();
  }

  async session(sessionId: string, owner?: Owner): Promise<SessionRow | null> {
    this.#checkOpen();
    const session = this.#sessions.get(sessionId);
    if (session === undefined || !isVisible(session.row, owner)) return null;
    return this.#toRow(session);
  }

  #toRow(session: MemorySession): SessionRow {
    return { ...toSessionHead(session.row, this.#clock()), metadata: session.metadata };
  }

  async timelines(ids: readonly string[]): Promise<readonly (TimelineRow | null)[]> {
    this.#checkOpen();
    return ids.map((id) => this.#of(id)?.timelines.get(id)?.row ?? null);
  }

  async startingAt(
    sessionId: string,
    base: { readonly timelineId: string; readonly seq: number },
    page: NumberPage,
  ): Promise<readonly TimelineRow[]> {
    this.#checkOpen();
    return this.#sessions.get(sessionId)?.startingAt(base, page) ?? [];
  }

  #of(timelineId: string): MemorySession | undefined {
    return this.#sessions.get(parseTimelineId(timelineId).sessionId);
  }

  async turns(segments: readonly Segment[], page: TurnPage): Promise<readonly TurnRow[]> {
    this.#checkOpen();
    const rows: TurnRow[] = [];
    const ascending = page.order === 'asc';
    for (const { timelineId, from, to } of ascending ? segments : segments.toReversed()) {
      const left = page.limit - rows.length;
      if (left <= 0) break;
      const turns = this.#of(timelineId)?.timelines.get(timelineId)?.turns ?? [];
      const first = turns[0]?.seq ?? 1;
      const start = Math.max(0, from - first);
      const end = Math.min(turns.length, to - first + 1);
      const slice = ascending
        ? turns.slice(start, Math.min(end, start + left))
        : turns.slice(Math.max(start, end - left), Math.max(start, end)).reverse();
      for (const turn of slice) rows.push(turn);
    }
    return rows;
  }

  async findTurns(turnId: string, sessionIds: readonly string[]): Promise<readonly TurnRow[]> {
    this.#checkOpen();
    return sessionIds.flatMap((id) => this.#sessions.get(id)?.turnsWithId(turnId) ?? []);
  }

  async variables(at: VariablesVersion): Promise<VariablesRow | null> {
    return this.#begin().variables(at) ?? null;
  }

  async record(sessionId: string, kind: string, key: string): Promise<RecordRow | null> {
    this.#checkOpen();
    return this.#sessions.get(sessionId)?.record(kind, key) ?? null;
  }

  async records(sessionId: string, kind: string, page: KeyPage): Promise<readonly RecordRow[]> {
    this.#checkOpen();
    return this.#sessions.get(sessionId)?.page(kind, page) ?? [];
  }

  async list(query: ListQuery): Promise<readonly SessionRow[]> {
    this.#checkOpen();
    const now = this.#clock();
    const sessions =
      query.userId === undefined ? this.#sessions.values() : this.#sessions.ofUser(query.userId);
    return [...sessions]
      .filter(({ row }) => row.status !== 'deleted')
      .filter(({ row }) => query.tenantId === undefined || row.tenantId === query.tenantId)
      .filter(({ row }) => query.status === undefined || statusAt(row, now) === query.status)
      .filter(
        ({ metadata }) => query.metadata === undefined || hasMetadata(metadata, query.metadata),
      )
      .filter(({ row }) => query.after === undefined || isListedAfter(row, query.after))
      .sort((a, b) => listOrder(a.row, b.row))
      .slice(0, query.limit)
      .map((session) => this.#toRow(session));
  }

  async due(page: DuePage): Promise<readonly DueItem[]> {
    this.#checkOpen();
    const now = this.#clock();
    if (page.kind !== undefined) return this.#dueRecords(page, now);
    const items: DueItem[] = [];
    for (const session of this.#sessions.values()) {
      const { sessionId } = session.row;
      if (session.row.dueAt !== null && session.row.dueAt <= now) {
        if (session.row.status === 'deleted') {
          items.push({ due: 'erase', sessionId });
        } else if (statusAt(session.row, now) === 'expired') {
          items.push({ due: 'expiry', sessionId });
        } else {
          session.row = { ...session.row, dueAt: lookAgain({ ...session.row, dueAt: null }) };
        }
      }
      for (const record of session.records.due(now)) {
        items.push({ due: 'record', sessionId, record });
      }
      if (items.length >= page.limit) break;
    }
    return items.slice(0, page.limit);
  }

  #dueRecords({ kind, limit, withinMs = 0 }: DuePage, now: number): readonly DueItem[] {
    return [...this.#sessions.values()]
      .flatMap(({ records, row }) =>
        records
          .due(now + withinMs)
          .filter((record) => record.kind === kind)
          .map((record) => ({ due: 'record', sessionId: row.sessionId, record }) as const),
      )
      .sort((a, b) => (a.record.dueAt ?? 0) - (b.record.dueAt ?? 0))
      .slice(0, limit);
  }

  async feed(sessionId: string, page: FeedPage): Promise<readonly FeedItem[]> {
    this.#checkOpen();
    return this.#sessions.get(sessionId)?.feed(page) ?? [];
  }

  async report(query: ReportQuery): Promise<ReportPage> {
    this.#checkOpen();
    return this.#sessions.report(query);
  }

  async changes(page: ChangesPage): Promise<Changes> {
    this.#checkOpen();
    return this.#sessions.log.read(page);
  }

  watch(wake: (wake: Wake) => void): () => void {
    this.#checkOpen();
    return this.#sessions.log.watch(wake);
  }

  #begin(): MemoryTransaction {
    this.#checkOpen();
    return new MemoryTransaction(this.#sessions, this.#clock());
  }

  #checkOpen(): void {
    if (this.#closed) throw new SessionStoreUnavailableError('closed', 'the store was closed');
  }
}

const notFound: EraseResult = { found: false, done: true, parent: null, buried: null };
