import { parseTimelineId } from '../session/ids.ts';
import {
  checkpointKey,
  markRecord,
  mergeCheckpoints,
  numbersOf,
  turnItems,
} from '../store/checkpoints.ts';
import { hasMetadata } from '../store/list-query.ts';
import { reportOf } from '../store/memory-report.ts';
import type {
  Changes,
  ChangesPage,
  FeedPage,
  KeyPage,
  ListQuery,
  NumberPage,
  ReportQuery,
  TurnPage,
} from '../store/port.ts';
import type {
  Change,
  FeedItem,
  MarkRow,
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
import { isVisible, type StoredSession, toSessionHead } from '../store/transaction.ts';
import type { OrderedTransaction } from './ordered-transaction.ts';
import {
  bases,
  byTime,
  byUser,
  changes,
  counters,
  type FeedRow,
  feed,
  marks,
  records,
  timelines,
  turns,
  usage,
} from './schema.ts';
import type { Tables } from './tables.ts';

/** The reads of the port, each over the rows of one moment. */
export class OrderedReads {
  readonly #rows: Tables;
  readonly #tx: OrderedTransaction;

  constructor(tx: OrderedTransaction) {
    this.#rows = tx.rows;
    this.#tx = tx;
  }

  session(sessionId: string, owner?: Owner): SessionRow | null {
    const session = this.#tx.session(sessionId);
    return isVisible(session, owner) ? this.#toRow(session) : null;
  }

  #toRow(session: StoredSession): SessionRow {
    const metadata = this.#tx.record(session, 'metadata', '')?.value ?? '{}';
    return { ...toSessionHead(session, this.#tx.now), metadata };
  }

  timelines(ids: readonly string[]): readonly (TimelineRow | null)[] {
    return ids.map((id) => {
      const { n, sessionId } = parseTimelineId(id);
      return this.#rows.get(timelines, sessionId, n) ?? null;
    });
  }

  startingAt(
    sessionId: string,
    { seq, timelineId }: { readonly timelineId: string; readonly seq: number },
    { after = 0, limit }: NumberPage,
  ): readonly TimelineRow[] {
    const at = [sessionId, seq, timelineId];
    const numbers = take(this.#rows.each(bases, at, { from: [...at, after + 1] }), limit);
    return numbers.flatMap((n) => this.#rows.get(timelines, sessionId, n) ?? []);
  }

  turns(segments: readonly Segment[], { limit, order }: TurnPage): readonly TurnRow[] {
    const backwards = order === 'desc';
    const found: TurnRow[] = [];
    for (const { from, timelineId, to } of backwards ? segments.toReversed() : segments) {
      const { n, sessionId } = parseTimelineId(timelineId);
      const span = { from: [sessionId, n, from], to: [sessionId, n, to + 1], backwards };
      found.push(...take(this.#rows.each(turns, [sessionId, n], span), limit - found.length));
    }
    return found;
  }

  findTurns(turnId: string, sessionIds: readonly string[]): readonly TurnRow[] {
    return sessionIds.flatMap((sessionId) => this.#tx.turnsWithId(sessionId, turnId));
  }

  variables(at: VariablesVersion): VariablesRow | null {
    return this.#tx.variables(at) ?? null;
  }

  record(sessionId: string, kind: string, key: string): RecordRow | null {
    const record = this.#tx.record({ sessionId }, kind, key);
    if (record !== undefined || kind !== 'checkpoint') return record ?? null;
    const session = this.#tx.session(sessionId);
    const n = Number(key);
    const isHeld = session !== undefined && key === checkpointKey(n) && n > session.checkpointFloor;
    const mark = isHeld ? this.#tx.mark(session, n) : undefined;
    return mark === undefined ? null : markRecord(mark);
  }

  records(sessionId: string, kind: string, page: KeyPage): readonly RecordRow[] {
    const { after, limit } = page;
    const backwards = page.order === 'desc';
    const behind = after === undefined || backwards ? undefined : [sessionId, kind, `${after}\0`];
    const before = after === undefined || !backwards ? undefined : [sessionId, kind, after];
    const span = { from: behind, to: before, backwards };
    const found = take(this.#rows.each(records, [sessionId, kind], span), limit);
    const session = kind === 'checkpoint' ? this.#tx.session(sessionId) : undefined;
    if (session === undefined) return found;
    const { from, to } = numbersOf(page, session.checkpointFloor);
    const numbers = { from: [sessionId, from + 1], to: [sessionId, to], backwards };
    const marked = take(this.#rows.each(marks, [sessionId], numbers), limit);
    return mergeCheckpoints(
      marked.map(({ n }) => this.#tx.mark(session, n) as MarkRow),
      found,
      page,
    );
  }

  list(query: ListQuery): readonly SessionRow[] {
    const { after, limit, metadata, status, tenantId, userId } = query;
    const [table, begin] = userId === undefined ? [byTime, []] : [byUser, [userId]];
    const to = after && [...begin, after.createdAt, after.sessionId];
    const found: SessionRow[] = [];
    for (const sessionId of this.#rows.each(table, begin, { to, backwards: true })) {
      const session = this.session(sessionId);
      if (session === null || (tenantId !== undefined && session.owner.tenantId !== tenantId))
        continue;
      if (status !== undefined && session.status !== status) continue;
      if (metadata !== undefined && !hasMetadata(session.metadata, metadata)) continue;
      if (found.push(session) === limit) break;
    }
    return found;
  }

  feed(sessionId: string, { after, limit }: FeedPage): readonly FeedItem[] {
    const items: FeedItem[] = [];
    for (const row of this.#rows.each(feed, [sessionId], { from: [sessionId, after + 1] })) {
      // A change is never cut in two.
      if (items.length >= limit && row.revision !== items.at(-1)?.revision) break;
      items.push(...this.#items(row));
    }
    return items;
  }

  /** Of a deleted session only that it was deleted is told. */
  #items({ sessionId, what }: FeedRow): readonly FeedItem[] {
    const isDeleted = this.#tx.session(sessionId)?.status === 'deleted';
    if ('at' in what) {
      const { at, data, revision, type } = what;
      return isDeleted && type !== 'deleted' ? [] : [{ revision, type, at, data } as FeedItem];
    }
    const turn = this.#rows.get(turns, sessionId, what.timeline, what.seq);
    return isDeleted || turn === undefined ? [] : turnItems(turn);
  }

  changes({ after, limit, tenantId, userId }: ChangesPage): Changes {
    const last = this.#rows.get(counters, 'position') ?? 0;
    const dropped = this.#rows.get(counters, 'dropped') ?? 0;
    const position = after === null ? last : Number(after);
    if (!(position >= dropped && position <= last)) {
      const next = position < dropped ? dropped : last;
      return { items: [], next: String(next), done: next === last, reset: true };
    }
    const items: Change[] = [];
    let next = last;
    for (const key of this.#rows.each(changes, [], { from: [position + 1] })) {
      const { order, revision, sessionId } = key;
      const session = this.#tx.session(sessionId);
      const row = this.#rows.get(feed, sessionId, revision, ...order);
      if (session === undefined || row === undefined) continue;
      if (userId !== undefined && session.userId !== userId) continue;
      if (tenantId !== undefined && session.tenantId !== tenantId) continue;
      const owner = { tenantId: session.tenantId, userId: session.userId };
      const place = { position: String(row.position), sessionId, owner };
      for (const item of this.#items(row)) items.push({ ...item, ...place });
      if (items.length < limit) continue;
      next = row.position;
      break;
    }
    return { items, next: String(next), done: next === last, reset: false };
  }

  report(query: ReportQuery): ReportPage {
    return reportOf({ rows: (by) => this.#rows.each(usage, [by]) }, query);
  }
}

function take<T>(items: Generator<T, void>, limit: number): readonly T[] {
  return items.take(Math.max(0, limit)).toArray();
}
