import { parseTimelineId } from '../session/ids.ts';
import { deletedBy } from '../store/operations.ts';
import type {
  DuePage,
  EraseRequest,
  EraseResult,
  KeptTimeline,
  StagedTimeline,
} from '../store/port.ts';
import type { DueItem, SessionHead } from '../store/rows.ts';
import {
  isVisible,
  lookAgain,
  meetsGuard,
  type StoredSession,
  statusAt,
  toSessionHead,
} from '../store/transaction.ts';
import type { OrderedTransaction } from './ordered-transaction.ts';
import {
  counters,
  due,
  everything,
  feed,
  indexOfSession,
  journal,
  marks,
  records,
  sessions,
  timelines,
  tombstones,
  turns,
  variables,
} from './schema.ts';

const notFound: EraseResult = { found: false, done: true, parent: null, buried: null };

/** `SessionStore.erase`. */
export function erase(
  tx: OrderedTransaction,
  sessionId: string,
  request: EraseRequest,
): EraseResult {
  let session = tx.session(sessionId);
  if (session === undefined) return notFound;
  if (request.staged !== undefined) return eraseStaged(tx, session, request.staged, request);
  let buried: SessionHead | null = null;
  if (session.status !== 'deleted') {
    if (!isVisible(session, request.owner)) return notFound;
    const before = toSessionHead(session, tx.now);
    session = bury(tx, session);
    buried = { ...before, revision: session.revision, updatedAt: tx.now };
    if (request.operation !== undefined)
      tx.putRecord(session, deletedBy(request.operation, tx.now));
  }
  const parent = session.parentSessionId;
  if (request.keep === undefined) return { found: true, done: false, parent, buried };
  const done = shrink(tx, sessionId, request.keep, request.limit);
  if (done) tx.putSession({ ...session, dueAt: null });
  return { found: true, done, parent, buried };
}

/** What of a session outlives it, for the branches that read its turns. */
const lasting: ReadonlySet<string> = new Set(['branch', 'hold', 'held']);

/** Leaves a tombstone. From now on nobody sees the turns but who holds them, and of the feed only the end. */
function bury(tx: OrderedTransaction, session: StoredSession): StoredSession {
  const { sessionId } = session;
  const revision = session.revision + 1;
  const next = {
    ...session,
    status: 'deleted',
    revision,
    updatedAt: tx.now,
    dueAt: tx.now,
  } as const;
  tx.putSession(next);
  for (const { key, kind } of tx.rows.each(records, [sessionId])) {
    if (!lasting.has(kind)) tx.deleteRecord(session, kind, key);
  }
  for (const { n } of tx.rows.each(marks, [sessionId])) tx.clearMark(session, n);
  tx.addJournal(next, { revision, part: 0, type: 'deleted', at: tx.now, data: null });
  return next;
}

/** Drops up to `limit` rows of a deleted session that nobody reads any more; whether that was all. */
function shrink(
  tx: OrderedTransaction,
  sessionId: string,
  keep: readonly KeptTimeline[],
  limit: number,
): boolean {
  let left = limit;
  for (const row of tx.rows.each(feed, [sessionId])) {
    if ('type' in row.what && row.what.type === 'deleted') continue;
    if (left === 0) return false;
    tx.dropHappened(row);
    left -= 1;
  }
  for (const timeline of tx.rows.each(timelines, [sessionId])) {
    const { n } = parseTimelineId(timeline.timelineId);
    const kept = keep.find(({ timelineId }) => timelineId === timeline.timelineId);
    left -= dropTurns(tx, [sessionId, n], kept?.seq ?? 0, left);
    if (left === 0) return false;
    dropVariables(tx, [sessionId, n], kept?.variables ?? null);
    if (kept === undefined) tx.dropTimeline(timeline);
  }
  return true;
}

type TimelineKey = readonly [sessionId: string, n: number];

/** Drops the last `limit` turns after a seq; how many there were. */
function dropTurns(tx: OrderedTransaction, at: TimelineKey, seq: number, limit: number): number {
  const span = { from: [...at, seq + 1], backwards: true };
  const last = Iterator.from(tx.rows.each(turns, at, span))
    .take(limit)
    .toArray();
  for (const turn of last) tx.dropTurn(turn);
  return last.length;
}

/** Drops all versions after one, or all if it is null. */
function dropVariables(
  tx: OrderedTransaction,
  at: TimelineKey,
  kept: KeptTimeline['variables'],
): void {
  const from = kept === null ? undefined : [...at, kept.position, kept.revision + 1];
  for (const entry of tx.rows.each(variables, at, { from })) {
    tx.rows.drop(variables, ...at, entry.at.position, entry.at.revision);
  }
}

function eraseStaged(
  tx: OrderedTransaction,
  session: StoredSession,
  { guard, timelineId }: StagedTimeline,
  { limit, owner }: EraseRequest,
): EraseResult {
  const { n, sessionId } = parseTimelineId(timelineId);
  const record = tx.record(session, guard.kind, guard.key);
  const stands = meetsGuard(record, guard, tx.now);
  if (!isVisible(session, owner) || !stands || n === session.timeline) return notFound;
  const isFull = dropTurns(tx, [sessionId, n], 0, limit) === limit;
  if (isFull) return { ...notFound, found: true, done: false };
  dropVariables(tx, [sessionId, n], null);
  const timeline = tx.timeline(session, timelineId);
  if (timeline !== undefined) tx.dropTimeline(timeline);
  tx.deleteRecord(session, guard.kind, guard.key);
  return { ...notFound, found: true };
}

/** `SessionStore.due`. It writes: a session that was changed since is noted for its new time. */
export function listDue(
  tx: OrderedTransaction,
  { kind, limit, withinMs = 0 }: DuePage,
): readonly DueItem[] {
  const until = tx.now + (kind === undefined ? 0 : withinMs);
  const items: DueItem[] = [];
  for (const row of tx.rows.each(due, [], { to: [until + 1] })) {
    if (items.length === limit) break;
    const { sessionId } = row;
    const session = tx.session(sessionId);
    if (row.record !== undefined) {
      const record = tx.record(row, row.record.kind, row.record.key);
      const isAsked = kind === undefined || kind === row.record.kind;
      if (record !== undefined && isAsked) items.push({ due: 'record', sessionId, record });
    } else if (session !== undefined && kind === undefined) {
      if (session.status === 'deleted') items.push({ due: 'erase', sessionId });
      else if (statusAt(session, tx.now) === 'expired') items.push({ due: 'expiry', sessionId });
      else tx.putSession({ ...session, dueAt: lookAgain({ ...session, dueAt: null }) });
    }
  }
  return items;
}

/** `SessionStore.collect`. */
export function collect(tx: OrderedTransaction, before: number, limit: number): number {
  let left = limit;
  let dropped = tx.rows.get(counters, 'dropped') ?? 0;
  for (const { order, revision, sessionId } of tx.rows.each(journal, [], { to: [before] })) {
    if (left === 0) return limit;
    const row = tx.rows.get(feed, sessionId, revision, ...order);
    if (row === undefined) continue;
    tx.dropHappened(row);
    dropped = Math.max(dropped, row.position);
    tx.rows.put(counters, dropped, 'dropped');
    left -= 1;
  }
  for (const { record, sessionId } of tx.rows.each(due, [], { to: [tx.now + 1] })) {
    if (left === 0) return limit;
    if (record?.kind !== 'operation') continue;
    tx.deleteRecord({ sessionId }, record.kind, record.key);
    left -= 1;
  }
  for (const sessionId of tx.rows.each(tombstones, [], { to: [before] })) {
    if (left === 0) return limit;
    const session = tx.session(sessionId);
    // Its own row is the only one that begins with its id.
    const there = tx.rows.each(everything, [sessionId]).take(2).toArray();
    if (session === undefined || there.length > 1) continue;
    tx.rows.reindex(indexOfSession(session), []);
    tx.rows.drop(sessions, sessionId);
    left -= 1;
  }
  return limit - left;
}
