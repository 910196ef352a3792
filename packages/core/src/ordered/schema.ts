import { parseTimelineId } from '../session/ids.ts';
import type { Owner, RecordRow, TimelineRow, TurnRow } from '../store/rows.ts';
import type { JournalEntry, StoredSession, VariablesEntry } from '../store/transaction.ts';
import type { UsageRow } from '../store/usage-ledger.ts';
import { type IndexRow, keyOf, type Table } from './tables.ts';

/** Where a turn stands in its session. */
interface TurnPlace {
  readonly timeline: number;
  readonly seq: number;
}

/** Something that happened to a session: a turn, by its place, or what the journal says. */
export interface FeedRow {
  readonly sessionId: string;
  readonly revision: number;
  /** Where it stands in its revision: turns by their seq, then the journal by its parts. */
  readonly order: readonly [0 | 1, number];
  /** Where it stands among the changes of all sessions. */
  readonly position: number;
  readonly what: TurnPlace | JournalEntry;
}

/** A feed's row by its key, for rows that lead to it. */
export type FeedKey = Pick<FeedRow, 'sessionId' | 'revision' | 'order'>;

export interface DueRow {
  readonly sessionId: string;
  /** Absent if it is the session itself that is due. */
  readonly record?: { readonly kind: string; readonly key: string };
}

/** Which turn bears an automatic checkpoint. */
interface MarkPlace extends TurnPlace {
  readonly n: number;
  readonly createdAt: number;
}

/** A session's rows stand side by side, so that a commit changes few pages. */
function ofSession<Row>(name: string): Table<Row> {
  return { key: (sessionId, ...parts) => keyOf('session', sessionId as string, name, ...parts) };
}

function ofAll<Row>(name: string): Table<Row> {
  return { key: (...parts) => keyOf(name, ...parts) };
}

/** All rows of one session, its own included, begin with its id. */
export const everything: Table<unknown> = ofAll('session');

/** By session id. */
export const sessions: Table<StoredSession> = ofSession('row');
/** By session id and: number. */
export const timelines: Table<TimelineRow> = ofSession('timeline');
/** Seq and timeline id of the base, number. */
export const bases: Table<number> = ofSession('base');
/** Timeline's number, seq. */
export const turns: Table<TurnRow> = ofSession('turn');
/** Turn id, timeline's number, seq: which turns have this id. */
export const turnIds: Table<TurnPlace> = ofSession('id');
/** Number of the automatic checkpoint. */
export const marks: Table<MarkPlace> = ofSession('mark');
/** Timeline's number, position, revision. */
export const variables: Table<VariablesEntry> = ofSession('variables');
/** Kind, key. */
export const records: Table<RecordRow> = ofSession('record');
/** Revision, and the two of its order. */
export const feed: Table<FeedRow> = ofSession('feed');

/** Position. */
export const changes: Table<FeedKey> = ofAll('change');
/** Time and position of each entry of a journal. */
export const journal: Table<FeedKey> = ofAll('journal');
/** Time of creation, session id; and the same behind the user's id. */
export const byTime: Table<string> = ofAll('by-time');
export const byUser: Table<string> = ofAll('by-user');
/** Time, session id; of records also kind and key. */
export const due: Table<DueRow> = ofAll('due');
/** Time of the tombstone, session id. Those with nothing left to erase. */
export const tombstones: Table<string> = ofAll('tombstone');
/** `model` or `tool`, then a digest of all that a row is told by. */
export const usage: Table<UsageRow> = ofAll('usage');
/** User, tenant. Nano-dollars that the sessions of an owner have spent. */
export const spent: Table<number> = ofAll('spent');
/** `position`: the last one given out. `dropped`: the last one that outlived its window. `schema`: its version. */
export const counters: Table<number> = ofAll('counter');

/** The rows that lead to a session. */
export function indexOfSession(session: StoredSession): readonly IndexRow[] {
  const { createdAt, dueAt, sessionId, status, updatedAt, userId } = session;
  const rows: IndexRow[] = [];
  if (dueAt !== null) rows.push({ table: due, parts: [dueAt, sessionId], row: { sessionId } });
  if (status !== 'deleted') {
    rows.push({ table: byTime, parts: [createdAt, sessionId], row: sessionId });
    rows.push({ table: byUser, parts: [userId, createdAt, sessionId], row: sessionId });
  } else if (dueAt === null) {
    rows.push({ table: tombstones, parts: [updatedAt, sessionId], row: sessionId });
  }
  return rows;
}

export function indexOfRecord(sessionId: string, record: RecordRow): readonly IndexRow[] {
  const { dueAt, key, kind } = record;
  if (dueAt === null) return [];
  return [
    { table: due, parts: [dueAt, sessionId, kind, key], row: { sessionId, record: { kind, key } } },
  ];
}

export function indexOfTimeline({ base, timelineId }: TimelineRow): readonly IndexRow[] {
  if (base === null) return [];
  const { n, sessionId } = parseTimelineId(timelineId);
  return [{ table: bases, parts: [sessionId, base.seq, base.timelineId, n], row: n }];
}

export function indexOfTurn(turn: TurnRow): readonly IndexRow[] {
  const { n, sessionId } = parseTimelineId(turn.timelineId);
  const row = { timeline: n, seq: turn.seq };
  return [{ table: turnIds, parts: [sessionId, turn.turnId, n, turn.seq], row }];
}

/** How a row of spending is found. A user without a tenant is not one with an empty one. */
export function ownerParts({ tenantId, userId }: Owner): readonly string[] {
  return [userId, JSON.stringify(tenantId)];
}
