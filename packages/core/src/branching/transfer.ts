import { createHash } from 'node:crypto';
import { SessionConflictError, SessionInputError } from '../errors.ts';
import { recallCreation } from '../manager/create.ts';
import { type Engine, operationKeepMs } from '../manager/engine.ts';
import { openHistory } from '../manager/moves.ts';
import { checkSessionId, timelineId } from '../session/ids.ts';
import { SessionStateMachine } from '../session/state-machine.ts';
import type { Commit, Committed, OperationKey } from '../store/port.ts';
import type { Head, Owner } from '../store/rows.ts';
import { deleteSession } from './delete.ts';
import { makeBranch } from './make-branch.ts';

/** Why a session that was given away is closed, for the moment until it is deleted. */
/**
 * Gives a session to another owner, under a new id: the old id is nobody's any more, and whoever knew it knows
 * nothing. The new session has the history, the metadata and the variables. No turn that is acknowledged meanwhile
 * is lost: the old session is suspended first, and deleted only where the new one begins. Cut short at any point,
 * it is finished by asking again, which answers with the same new session.
 *
 * @throws SessionNotFoundError; SessionClosedError, SessionExpiredError; SessionCapacityError if the new owner has
 * as many open sessions as allowed; SessionConflictError if it was resumed and written to meanwhile
 */
export async function transferSession(
  engine: Engine,
  sessionId: string,
  owner: Owner,
): Promise<Committed> {
  checkSessionId(sessionId);
  const operation = transferKey(sessionId, owner);
  const made =
    (await recallCreation(engine, owner, operation, sessionId)) ??
    (await copy(engine, sessionId, owner, operation));
  const [timeline] = await engine.store.timelines([timelineId(made.session.sessionId, 1)]);
  if (await end(engine, sessionId, timeline?.base ?? null)) return made;
  await deleteSession(engine, made.session.sessionId, false);
  const message = 'it was written to while it was given away; try again';
  throw new SessionConflictError('head', sessionId, message, await engine.session(sessionId));
}

function transferKey(sessionId: string, owner: Owner): OperationKey {
  const request = JSON.stringify(['transfer', sessionId, owner.tenantId, owner.userId]);
  const digest = createHash('sha256').update(request).digest('base64url');
  return { id: `transfer.${sessionId}`, digest, keepMs: operationKeepMs };
}

async function copy(
  engine: Engine,
  sessionId: string,
  owner: Owner,
  operation: OperationKey,
): Promise<Committed> {
  const row = await engine.session(sessionId);
  if (row.owner.userId === owner.userId && row.owner.tenantId === owner.tenantId) {
    throw new SessionInputError('owner', `session '${sessionId}' is this owner's already`);
  }
  if (row.status !== 'suspended') await suspend(engine, sessionId);
  const still = await engine.session(sessionId);
  const history = await openHistory(engine, still);
  const { cost, head, tokens, variables } = still;
  const from = { point: { ...head, tokens, cost, variables }, from: history.timeline };
  const ownerCap = engine.config.maxSessionsPerUser;
  try {
    return await makeBranch(engine, still, from, { owner, ownerCap, parent: null, operation });
  } catch (error) {
    if (row.status !== 'suspended') await resume(engine, sessionId);
    throw error;
  }
}

async function suspend(engine: Engine, sessionId: string): Promise<void> {
  await engine.commit(sessionId, {
    guards: { status: SessionStateMachine.allowed.suspend },
    status: { to: 'suspended' },
    event: { type: 'suspended' },
    expiry: engine.expiry,
  });
}

async function resume(engine: Engine, sessionId: string): Promise<void> {
  await engine.try(sessionId, {
    guards: { status: SessionStateMachine.allowed.resume },
    status: { to: 'active' },
    event: { type: 'resumed' },
    expiry: engine.expiry,
  });
}

/** Ends and deletes the old session if it still stands at `base`; true also if that was done before. */
async function end(engine: Engine, sessionId: string, base: Head | null): Promise<boolean> {
  const row = await engine.store.session(sessionId);
  if (row === null) return true;
  const ended = row.status === 'closed' && row.closedReason === reason;
  if (!ended) {
    const stands = row.head.seq === (base?.seq ?? 0) && row.head.turnId === (base?.turnId ?? null);
    if (!stands) return false;
    const commit: Commit = {
      guards: { status: SessionStateMachine.allowed.close, revision: row.revision },
      status: { to: 'closed', reason },
      event: { type: 'closed', data: JSON.stringify({ reason }) },
      expiry: engine.expiry,
    };
    const result = await engine.try(sessionId, commit);
    if (result.refused === 'unknown') return true;
    if (result.refused !== undefined) return false;
  }
  await deleteSession(engine, sessionId, false);
  return true;
}

/** Why a session that was given away is closed, for the moment until it is deleted. */
const reason = 'transferred';
