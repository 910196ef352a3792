import { deleteSession } from '../branching/delete.ts';
import { eraseStaged } from '../branching/staged.ts';
import { SessionNotFoundError } from '../errors.ts';
import type { Engine } from '../manager/engine.ts';
import { freeAbandoned } from '../manager/lease.ts';
import { consolidationPlace, readConsolidationValue } from '../memory/consolidation.ts';
import type { RecordWrite } from '../store/port.ts';
import type { RecordRow } from '../store/rows.ts';

/** What became of a record that is past its time; null if it is none of the sweep's, or somebody else was faster. */
export type SweptRecord = 'confirmed' | 'released' | 'dropped' | 'purged' | null;

const handlers: Readonly<
  Record<string, (engine: Engine, sessionId: string, record: RecordRow) => Promise<SweptRecord>>
> = {
  branch: settleHold,
  hold: settleHold,
  lease: async (engine, sessionId, record) => {
    await freeAbandoned(engine, sessionId, record);
    return null;
  },
  purge,
  staged: async (engine, sessionId, record) =>
    (await eraseStaged(engine, sessionId, record)) ? 'dropped' : null,
};

/** Does what is due with one record. Several may do it at once: one of them does it. */
export async function sweepRecord(
  engine: Engine,
  sessionId: string,
  record: RecordRow,
): Promise<SweptRecord> {
  return (await handlers[record.kind]?.(engine, sessionId, record)) ?? null;
}

/** A hold stands for good once its branch does; without a branch it goes, and a tombstone is erased further. */
async function settleHold(
  engine: Engine,
  sessionId: string,
  record: RecordRow,
): Promise<SweptRecord> {
  const { key, kind, value } = record;
  const stands = (await engine.store.session(key)) !== null;
  const write: RecordWrite = stands
    ? { kind, key, value, sameVersion: true }
    : { kind, key, delete: true };
  if (!(await rewrite(engine, sessionId, record, write))) return null;
  return stands ? 'confirmed' : 'released';
}

/** Deletes an expired session, if the configuration still says so. */
async function purge(engine: Engine, sessionId: string, record: RecordRow): Promise<SweptRecord> {
  const { retention } = engine.config;
  const { createdAt, dueAt, key, kind, value } = record;
  const keptMs = (dueAt ?? createdAt) - createdAt;
  if (retention === null || retention * 1000 > keptMs) {
    const dueInMs = retention === null ? null : retention * 1000 - keptMs;
    await rewrite(engine, sessionId, record, { kind, key, value, dueInMs });
    return null;
  }
  if (await awaitsMemory(engine, sessionId)) {
    await rewrite(engine, sessionId, record, { kind, key, value, dueInMs: memoryWaitMs });
    return null;
  }
  try {
    await deleteSession(engine, sessionId, false);
    return 'purged';
  } catch (error) {
    if (error instanceof SessionNotFoundError) return null;
    throw error;
  }
}

/** How long a purge waits for memory at a time, and how many runs of a consolidation it waits for. */
const memoryWaitMs = 60_000;
const memoryAttempts = 5;

/** Whether a consolidation that this process can run is still owed: what is purged cannot be remembered any more. */
async function awaitsMemory(engine: Engine, sessionId: string): Promise<boolean> {
  if (engine.onEnd.length === 0) return false;
  const { key, kind } = consolidationPlace;
  const record = await engine.store.record(sessionId, kind, key);
  if (record === null) return false;
  const { attempts, state } = readConsolidationValue(sessionId, record);
  return state !== 'done' && (state === 'running' || attempts < memoryAttempts);
}

/** Writes a record anew, unless somebody else wrote it meanwhile. */
async function rewrite(
  engine: Engine,
  sessionId: string,
  { key, kind, version }: RecordRow,
  write: RecordWrite,
): Promise<boolean> {
  const guards = { tombstone: true, records: [{ kind, key, version }] };
  const result = await engine.put(sessionId, { guards, records: [write] });
  return result.refused === undefined;
}
