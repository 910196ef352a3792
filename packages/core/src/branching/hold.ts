import { SessionNotFoundError } from '../errors.ts';
import type { Engine } from '../manager/engine.ts';
import { refusalError } from '../manager/refusal-error.ts';
import { timelineId } from '../session/ids.ts';
import type { Commit, RecordGuard } from '../store/port.ts';
import type { SessionHead } from '../store/rows.ts';
import { deleteSession } from './delete.ts';
import { type HoldValue, holdText } from './reach.ts';

/** How long a hold may stand before its branch does; the sweep drops it then. */
export const unconfirmedMs = 60_000;

/** What a new branch will read of its parent, and of those whose turns come before. */
export interface HoldRequest {
  readonly parentId: string;

  /** By session, as `foreignReach` tells. */
  readonly reach: ReadonlyMap<string, HoldValue>;
}

/**
 * Writes a hold into every session whose turns a branch will read, so that a delete that comes now keeps them.
 * The record in the parent is also what counts and lists its branches. A session that was deleted is held only
 * through the one that holds it already.
 *
 * @throws SessionCapacityError past the cap of branches; SessionNotFoundError if the parent was deleted
 */
export async function holdFor(
  engine: Engine,
  branchId: string,
  { parentId, reach }: HoldRequest,
): Promise<void> {
  // A branch of a branch that wrote nothing may read nothing of it, and still is one of its branches.
  const nothing = { timelineId: timelineId(parentId, 1), seq: 0, chunks: [] };
  const direct = reach.get(parentId) ?? nothing;
  await write(engine, parentId, branchId, 'branch', direct, {
    owner: engine.owner,
    counts: [{ kind: 'branch', max: engine.config.maxBranchesPerSession }],
  });
  for (const [sessionId, value] of reach) {
    if (sessionId === parentId) continue;
    const guards = await heldThrough(engine, sessionId, parentId);
    await write(engine, sessionId, branchId, 'hold', value, guards);
  }
}

/** Also a deleted session may be held, if the hold of one that reads it still stands: else its turns may be gone. */
export async function heldThrough(
  engine: Engine,
  sessionId: string,
  readerId: string,
): Promise<NonNullable<Commit['guards']> & { readonly records: readonly RecordGuard[] }> {
  const records: RecordGuard[] = [];
  for (const kind of ['branch', 'hold']) {
    const record = await engine.store.record(sessionId, kind, readerId);
    if (record !== null) records.push({ kind, key: readerId, version: record.version });
  }
  return { tombstone: records.length > 0, records };
}

/**
 * A fork that took longer than its holds stand unconfirmed may have lost them to the sweep before the branch was
 * there: they are written again. What cannot be held any more cannot be forked, so the branch goes.
 *
 * @throws as `holdFor`
 */
export async function keepHolds(
  engine: Engine,
  branch: SessionHead,
  request: HoldRequest,
): Promise<void> {
  // The parent's was written first, so that it runs out first.
  const first = await engine.store.record(request.parentId, 'branch', branch.sessionId);
  if (first !== null && (first.dueAt === null || first.dueAt > branch.createdAt)) return;
  try {
    await holdFor(engine, branch.sessionId, request);
  } catch (error) {
    await deleteSession(engine, branch.sessionId, false);
    throw error;
  }
}

async function write(
  engine: Engine,
  sessionId: string,
  branchId: string,
  kind: string,
  hold: HoldValue,
  guards: NonNullable<Commit['guards']>,
): Promise<void> {
  const value = holdText(hold);
  for (let version: number | null = null; ; ) {
    const guard = { kind, key: branchId, version };
    const result = await engine.put(sessionId, {
      guards: { ...guards, records: [...(guards.records ?? []), guard] },
      records: [{ kind, key: branchId, value, dueInMs: unconfirmedMs }],
    });
    if (result.refused === undefined) return;
    if (result.refused === 'unknown') throw new SessionNotFoundError(sessionId);
    if (result.refused !== 'expected') throw refusalError(sessionId, result, 'active');
    // The same operation was here before, or is here at the same time: its hold is made to stand for longer.
    const there = await engine.store.record(sessionId, kind, branchId);
    // Or the hold through which it reads was let go meanwhile, and the turns may be gone.
    if (there === null) throw new SessionNotFoundError(sessionId);
    if (there.value !== value || there.version === version) {
      throw refusalError(sessionId, { refused: 'operation', session: result.session }, 'active');
    }
    if (there.dueAt === null) return;
    version = there.version;
  }
}
