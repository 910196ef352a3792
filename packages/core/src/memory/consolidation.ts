import { readStored } from '../session/read-stored.ts';
import { toIso } from '../session/time.ts';
import type { RecordWrite } from '../store/port.ts';
import type { RecordRow } from '../store/rows.ts';

/** How a session's consolidation stands. */
export interface Consolidation {
  readonly sessionId: string;
  readonly state: 'owed' | 'running' | 'failed' | 'done';
  /** Runs so far, those that died counted. */
  readonly attempts: number;
  /** Why the last run failed; null if none failed, or a later one was done. */
  readonly lastError: { readonly name: string; readonly message: string } | null;
  /** When it is taken up next, or taken from a run that has died; null if it is done. */
  readonly dueAt: string | null;
  /** Memories that it left. */
  readonly memories: number;
  /** Of the last run that was done: entries read, milliseconds, and the consolidator's own. */
  readonly statistics: Readonly<Record<string, number>> | null;
}

/** A consolidation as its record's value. */
export type ConsolidationValue = Omit<Consolidation, 'sessionId' | 'dueAt'>;

/** Where the record stands. Its version is the fencing token of who runs it; it is never deleted but with its session. */
export const consolidationPlace = { kind: 'consolidation', key: '' } as const;

const none: ConsolidationValue = {
  state: 'owed',
  attempts: 0,
  lastError: null,
  memories: 0,
  statistics: null,
};

export function consolidationRecord(
  value: ConsolidationValue,
  dueInMs: number | null,
): Exclude<RecordWrite, { readonly delete: true }> {
  return { ...consolidationPlace, value: JSON.stringify(value), dueInMs };
}

/** What a session owes from the moment of its end; and what it owes again, with the memories that it has. */
export function owedRecord(memories = 0): RecordWrite {
  return consolidationRecord({ ...none, memories }, 0);
}

export function readConsolidationValue(sessionId: string, record: RecordRow): ConsolidationValue {
  const place = `the consolidation of session '${sessionId}'`;
  return readStored(record.value, place) as unknown as ConsolidationValue;
}

export function readConsolidation(sessionId: string, record: RecordRow): Consolidation {
  const { attempts, lastError, memories, state, statistics } = readConsolidationValue(
    sessionId,
    record,
  );
  const dueAt = record.dueAt === null ? null : toIso(record.dueAt);
  return Object.freeze({
    sessionId,
    state,
    attempts,
    lastError: lastError === null ? null : Object.freeze(lastError),
    dueAt,
    memories,
    statistics: statistics === null ? null : Object.freeze(statistics),
  });
}
