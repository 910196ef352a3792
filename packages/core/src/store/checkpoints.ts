import { SessionCorruptDataError } from '../errors.ts';
import { readStored } from '../session/read-stored.ts';
import type { Point, RecordRow } from './rows.ts';
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

/** @param metadata JSON, or null for none */
export function checkpointValue(point: Point, metadata: string | null, automatic: boolean): string {
  return `{"automatic":${automatic},"point":${JSON.stringify(point)},"metadata":${metadata ?? 'null'}}`;
}

/** How the value of an automatic checkpoint begins. */
const automaticValue = '{"automatic":true';

/**
 * The checkpoint that makes room for a new one: the oldest automatic one, else the oldest without a label;
 * null if all are labelled.
 */
export function checkpointVictim(tx: StoreTransaction, session: StoredSession): string | null {
  return tx.oldestCheckpoint(session, automaticValue) ?? tx.oldestCheckpoint(session, '') ?? null;
}
