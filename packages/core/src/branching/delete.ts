import { createHash } from 'node:crypto';
import { SessionNotFoundError } from '../errors.ts';
import type { Engine } from '../manager/engine.ts';
import { checkSessionId } from '../session/ids.ts';
import { limits } from '../session/limits.ts';
import type { OperationKey, SessionStore } from '../store/port.ts';
import type { Owner, RecordRow } from '../store/rows.ts';
import { type HoldValue, ownReach, readHolds } from './reach.ts';

/** Kinds of records that hold a session's turns for others: its own branches, and branches of branches. */
const holdKinds = ['branch', 'hold'] as const;

/** Turns that are deleted in one transaction. */
const eraseBatch = 1_000;

/**
 * Deletes a session. First a tombstone takes its place, so that it is gone for everybody and no write in flight
 * brings it back; then it lets go of what it held in others; then what no branch reads is erased. A crash in
 * between leaves a tombstone that the sweep takes up again.
 *
 * @throws SessionNotFoundError
 */
export async function deleteSession(
  engine: Engine,
  sessionId: string,
  withBranches: boolean,
  operation?: OperationKey,
): Promise<void> {
  checkSessionId(sessionId);
  const row = await engine.store.session(sessionId, engine.owner);
  if (row === null) {
    if (operation !== undefined && (await wasDeleted(engine, sessionId, operation))) {
      // The first time may have been cut short.
      await finishErase(engine, sessionId);
      return;
    }
    throw new SessionNotFoundError(sessionId);
  }
  if (withBranches) {
    for (const { key } of await allRecords(engine.store, sessionId, 'branch')) {
      const branch = await engine.store.session(key, engine.owner);
      if (branch !== null) await deleteSession(engine, key, true);
    }
  }
  const { found } = await engine.erase(sessionId, {
    owner: engine.owner,
    limit: eraseBatch,
    ...(operation === undefined ? {} : { operation: ofOwner(operation, row.owner) }),
  });
  if (!found) throw new SessionNotFoundError(sessionId);
  await finishErase(engine, sessionId);
}

/** A tombstone tells nobody's owner: what it remembers of an operation does. */
function ofOwner(operation: OperationKey, { tenantId, userId }: Owner): OperationKey {
  const owner = createHash('sha256')
    .update(JSON.stringify([tenantId, userId]))
    .digest('base64url');
  return { ...operation, digest: `${operation.digest}.${owner}` };
}

/** Whether this very operation deleted the session before: its tombstone remembers that. */
async function wasDeleted(
  engine: Engine,
  sessionId: string,
  operation: OperationKey,
): Promise<boolean> {
  const record = await engine.store.record(sessionId, 'operation', operation.id);
  if (record === null) return false;
  const { digest } = JSON.parse(record.value) as { digest: string };
  return engine.owner === undefined
    ? digest.startsWith(`${operation.digest}.`)
    : digest === ofOwner(operation, engine.owner).digest;
}

/** Erases what nobody reads of a session whose tombstone stands. May be repeated, and run by several at once. */
export function finishErase(engine: Engine, sessionId: string): Promise<void> {
  return eraseFurther(engine, sessionId, new Set());
}

/** Two sessions may each have read the other's turns: `released` tells who was let go of already. */
async function eraseFurther(
  engine: Engine,
  sessionId: string,
  released: Set<string>,
): Promise<void> {
  const { store } = engine;
  const { parent } = await engine.erase(sessionId, { limit: eraseBatch });
  if (parent !== null) await release(engine, parent, sessionId, released);
  // Its parent is known; others whose turns it reads have a record each.
  const held = await allRecords(store, sessionId, 'held');
  for (const { key } of held) await release(engine, key, sessionId, released);
  if (held.length > 0) {
    const records = held.map(({ key, kind }) => ({ kind, key, delete: true }) as const);
    await engine.put(sessionId, { guards: { tombstone: true }, records });
  }
  const holds: HoldValue[] = [];
  for (const kind of holdKinds) {
    for (const record of await allRecords(store, sessionId, kind)) {
      holds.push(...readHolds(record.value, sessionId));
    }
  }
  const load = (ids: readonly string[]) => store.timelines(ids);
  const keep = await ownReach(load, sessionId, holds);
  for (let done = false; !done; ) {
    ({ done } = await engine.erase(sessionId, { keep, limit: eraseBatch }));
  }
}

/** Lets go of what a branch held in another session; if that one was deleted, the last release erases it. */
async function release(
  engine: Engine,
  sessionId: string,
  branchId: string,
  released: Set<string>,
): Promise<void> {
  const pair = `${sessionId} ${branchId}`;
  if (released.has(pair)) return;
  released.add(pair);
  const result = await engine.put(sessionId, {
    guards: { tombstone: true },
    records: holdKinds.map((kind) => ({ kind, key: branchId, delete: true })),
  });
  const gone = (await engine.store.session(sessionId)) === null;
  if (result.refused === undefined && gone) await eraseFurther(engine, sessionId, released);
}

/** All records of a kind, page by page; for kinds that a cap bounds. */
export async function allRecords(
  store: SessionStore,
  sessionId: string,
  kind: string,
): Promise<readonly RecordRow[]> {
  const records: RecordRow[] = [];
  for (let after: string | undefined; ; ) {
    const page = await store.records(sessionId, kind, {
      limit: limits.pageMax,
      ...(after === undefined ? {} : { after }),
    });
    records.push(...page);
    if (page.length < limits.pageMax) return records;
    after = page.at(-1)?.key;
  }
}
