import type { CommitResult, Committed, OperationKey } from './port.ts';
import type { RecordRow } from './rows.ts';
import {
  nextRecord,
  type StoredSession,
  type StoreTransaction,
  toSessionHead,
} from './transaction.ts';

type Outcome = Omit<Committed, 'refused' | 'replayed'>;

const noMetadata = '{}';

/** The outcome of an operation that was done before, or null if it is new or its time has passed. */
export function recallOperation(
  tx: StoreTransaction,
  session: StoredSession,
  operation: OperationKey,
): CommitResult | null {
  const record = tx.record(session, 'operation', operation.id);
  if (record === undefined || (record.dueAt !== null && record.dueAt <= tx.now)) return null;
  const { digest, outcome } = JSON.parse(record.value) as { digest: string; outcome: Outcome };
  if (digest !== operation.digest) {
    return { refused: 'operation', session: toSessionHead(session, tx.now) };
  }
  return { ...outcome, replayed: true };
}

/** What a tombstone remembers of the operation that set it: there is no outcome to answer. */
export function deletedBy(operation: OperationKey, now: number): RecordRow {
  const value = JSON.stringify({ digest: operation.digest });
  const write = { kind: 'operation', key: operation.id, value, dueInMs: operation.keepMs };
  return nextRecord(write, undefined, now);
}

/** Keeps an operation's outcome in the same atomic effect as the operation. */
export function rememberOperation(
  tx: StoreTransaction,
  session: StoredSession,
  operation: OperationKey,
  outcome: Outcome,
): void {
  const value = JSON.stringify({
    digest: operation.digest,
    outcome: {
      session: outcome.session,
      turns: outcome.turns,
      checkpoints: outcome.checkpoints,
      note: operation.note,
      metadata: tx.record(session, 'metadata', '')?.value ?? noMetadata,
    },
  });
  const write = { kind: 'operation', key: operation.id, value, dueInMs: operation.keepMs };
  const before = tx.record(session, 'operation', operation.id);
  tx.putRecord(session, nextRecord(write, before, tx.now));
}
