import { SessionCorruptDataError } from '../errors.ts';
import { readStored } from '../session/read-stored.ts';
import { checkpointData } from './journal-data.ts';
import type { KeyPage } from './port.ts';
import type { FeedItem, MarkRow, Point, RecordRow, TurnRow } from './rows.ts';
import type { StoredSession, StoreTransaction } from './transaction.ts';

/** What a checkpoint's record holds. */
export interface CheckpointValue {
  readonly point: Point;
  readonly automatic: boolean;
  readonly metadata: unknown;
}

/** @throws SessionCorruptDataError if a record is none of a checkpoint */
export function readCheckpointValue(record: RecordRow): CheckpointValue {
  const place = `checkpoint ${Number(record.key)}`;
  const value = readStored(record.value, place) as unknown as CheckpointValue;
  if (typeof value.point?.timelineId === 'string') return value;
  throw new SessionCorruptDataError(place, 'it names no point');
}

/** Keys of checkpoints sort in the order in which they were made. */
export function checkpointKey(n: number): string {
  return String(n).padStart(15, '0');
}

/** A checkpoint as a record. @param metadata JSON, or null for none */
export function checkpointRecord(
  n: number,
  point: Point,
  createdAt: number,
  made: {
    readonly automatic: boolean;
    readonly label: string | null;
    readonly metadata: string | null;
  },
): RecordRow {
  return {
    kind: 'checkpoint',
    key: checkpointKey(n),
    version: 1,
    value: `{"automatic":${made.automatic},"point":${JSON.stringify(point)},"metadata":${made.metadata ?? 'null'}}`,
    label: made.label,
    dueAt: null,
    createdAt,
  };
}

/** An automatic checkpoint as a record. */
export function markRecord({ createdAt, turn, variables }: MarkRow): RecordRow {
  const { cost, seq, timelineId, tokens, turnId } = turn;
  const point = { timelineId, seq, turnId, tokens, cost, variables };
  return checkpointRecord(turn.checkpoint ?? 0, point, createdAt, automatic);
}

const automatic = { automatic: true, label: null, metadata: null } as const;

/** The numbers of checkpoints on a page: above `from` and below `to`. */
export function numbersOf(
  { after, order }: KeyPage,
  floor: number,
): { readonly from: number; readonly to: number } {
  const key = after === undefined ? undefined : Number(after);
  return order === 'desc'
    ? { from: floor, to: key ?? Number.MAX_SAFE_INTEGER }
    : { from: Math.max(floor, key ?? 0), to: Number.MAX_SAFE_INTEGER };
}

/** One page of checkpoints from the pages of marks and of records, each in order. */
export function mergeCheckpoints(
  marks: readonly MarkRow[],
  records: readonly RecordRow[],
  { limit, order }: KeyPage,
): readonly RecordRow[] {
  if (marks.length === 0) return records;
  const sign = order === 'desc' ? -1 : 1;
  return [...marks.map(markRecord), ...records]
    .sort((a, b) => (a.key < b.key ? -sign : sign))
    .slice(0, limit);
}

/** What a turn is in the feed: itself, and the automatic checkpoint that stands at it. */
export function turnItems(turn: TurnRow): readonly FeedItem[] {
  const { at, checkpoint, seq } = turn;
  const revision = turn.revision ?? 0;
  const item: FeedItem = { revision, type: 'turn', at, turn };
  if (checkpoint === null) return [item];
  const data = checkpointData(checkpoint, seq, true);
  return [item, { revision, type: 'checkpoint', at, data }];
}

/** A record, or an automatic checkpoint as one. */
export function recordOrMark(
  tx: StoreTransaction,
  session: StoredSession,
  kind: string,
  key: string,
): RecordRow | undefined {
  const record = tx.record(session, kind, key);
  if (record !== undefined || kind !== 'checkpoint') return record;
  const mark = heldMark(tx, session, key);
  return mark === undefined ? undefined : markRecord(mark);
}

/** The automatic checkpoint under a key, unless it is gone. */
export function heldMark(
  tx: StoreTransaction,
  session: StoredSession,
  key: string,
): MarkRow | undefined {
  const n = Number(key);
  return key === checkpointKey(n) && n > session.checkpointFloor ? tx.mark(session, n) : undefined;
}

/** A checkpoint that makes room for a new one: an automatic one by its number, or a record by its key. */
export type CheckpointVictim = { readonly n: number } | { readonly key: string };

/** The oldest automatic checkpoint, else the oldest without a label; null if all are labelled. */
export function checkpointVictim(
  tx: StoreTransaction,
  session: StoredSession,
): CheckpointVictim | null {
  const n = tx.oldestMark(session);
  if (n !== undefined) return { n };
  const key = tx.oldestCheckpoint(session);
  return key === undefined ? null : { key };
}
