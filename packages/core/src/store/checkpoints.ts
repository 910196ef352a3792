import type { Point } from './port.ts';
import type { StoredSession, StoreTransaction } from './transaction.ts';

/** What a checkpoint's record holds. */
export interface CheckpointValue {
  readonly point: Point;
  readonly automatic: boolean;
  readonly metadata: unknown;
}

/** Keys of checkpoints sort in the order in which they were made. */
export function checkpointKey(n: number): string {
  return String(n).padStart(15, '0');
}

/** @param metadata JSON, or null for none */
export function checkpointValue(point: Point, metadata: string | null, automatic: boolean): string {
  return `{"point":${JSON.stringify(point)},"automatic":${automatic},"metadata":${metadata ?? 'null'}}`;
}

/**
 * The checkpoint that makes room for a new one: the oldest automatic one, else the oldest without a label;
 * null if all are labelled.
 */
export function checkpointVictim(tx: StoreTransaction, session: StoredSession): string | null {
  let unlabelled: string | null = null;
  let after = '';
  for (let limit = 4; ; limit = 64) {
    const page = tx.records(session, 'checkpoint', after, limit);
    for (const record of page) {
      if (record.label !== null) continue;
      if ((JSON.parse(record.value) as CheckpointValue).automatic) return record.key;
      unlabelled ??= record.key;
    }
    const last = page.at(-1);
    if (page.length < limit || last === undefined) return unlabelled;
    after = last.key;
  }
}
