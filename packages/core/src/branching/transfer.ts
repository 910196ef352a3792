import { createHash } from 'node:crypto';
import { SessionCapacityError, SessionConflictError, SessionInputError } from '../errors.ts';
import { recallCreation } from '../manager/create.ts';
import { type Engine, operationKeepMs } from '../manager/engine.ts';
import { openHistory } from '../manager/moves.ts';
import { checkSessionId, timelineId } from '../session/ids.ts';
import { limits } from '../session/limits.ts';
import { SessionStateMachine } from '../session/state-machine.ts';
import type { Committed, OperationKey } from '../store/port.ts';
import type { Head, Owner } from '../store/rows.ts';
import { deleteSession } from './delete.ts';
import { makeBranch } from './make-branch.ts';
import { claimSession, giveUpClaim, nameOf, readClaim, transferred } from './transfer-claim.ts';

/**
 * Gives a session to another owner, under a new id: the old id is nobody's any more, and whoever knew it knows
 * nothing. The new session has the history, the metadata and the variables, and is suspended if the old one was. No
 * turn that is acknowledged meanwhile is lost: the old session is suspended first, and deleted only where the new one
 * begins. Cut short at any point, it is finished by asking again, which answers with the same new session; so does
 * asking several times at once. Of several owners that ask at once one gets it.
 *
 * @throws SessionNotFoundError, also where another owner gets it; SessionClosedError, SessionExpiredError;
 * SessionCapacityError if the new owner has as many open sessions as allowed; SessionConflictError if it was resumed
 * and written to meanwhile
 */
export async function transferSession(
  engine: Engine,
  sessionId: string,
  owner: Owner,
): Promise<Committed> {
  checkSessionId(sessionId);
  const operation = transferKey(sessionId, owner);
  const recall = (): Promise<Committed | null> =>
    recallCreation(engine, owner, operation, sessionId);
  let made = await recall();
  try {
    made ??= await copy(engine, sessionId, owner, operation);
  } catch (error) {
    // The same request beside this one may have finished it, so that there is nothing to copy any more.
    made = await recall();
    if (made === null) throw error;
  }
  const [timeline] = await engine.store.timelines([timelineId(made.session.sessionId, 1)]);
  if (await end(engine, sessionId, owner, timeline?.base ?? null)) return made;
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
  const before = await engine.session(sessionId);
  if (before.owner.userId === owner.userId && before.owner.tenantId === owner.tenantId) {
    throw new SessionInputError('owner', `session '${sessionId}' is this owner's already`);
  }
  if (before.status === 'active') await checkRoom(engine, owner);
  const { claim, row } = await claimSession(engine, sessionId, owner);
  try {
    const history = await openHistory(engine, row);
    const { cost, head, tokens, variables } = row;
    const from = { point: { ...head, tokens, cost, variables }, from: history.timeline };
    const ownerCap = engine.config.maxSessionsPerUser;
    const made = await makeBranch(engine, row, from, { owner, ownerCap, parent: null, operation });
    if (claim.was !== 'suspended') return made;
    const suspended = await engine.try(made.session.sessionId, {
      guards: { status: SessionStateMachine.allowed.suspend },
      status: { to: 'suspended' },
      event: { type: 'suspended' },
      expiry: engine.expiry,
    });
    return suspended.refused === undefined ? suspended : made;
  } catch (error) {
    await giveUpClaim(engine, sessionId, claim);
    throw error;
  }
}

/** Asked often, an owner without room changes nothing. It is the store that judges in the end. */
async function checkRoom(engine: Engine, { tenantId, userId }: Owner): Promise<void> {
  const max = engine.config.maxSessionsPerUser;
  let open = 0;
  for (const status of ['active', 'suspended'] as const) {
    const page = { userId, tenantId, status, limit: limits.pageMax };
    const rows = await engine.store.list(page);
    open += rows.filter(({ parent }) => parent === null).length;
  }
  if (open < max) return;
  throw new SessionCapacityError(
    `user '${userId}' already has ${open} active sessions (max ${max})`,
    'maxSessionsPerUser',
    max,
  );
}

/** Ends and deletes the old session if it still stands at `base`; true also if that was done before. */
async function end(
  engine: Engine,
  sessionId: string,
  owner: Owner,
  base: Head | null,
): Promise<boolean> {
  for (;;) {
    const row = await engine.store.session(sessionId);
    if (row === null) return true;
    const { claim, guard } = await readClaim(engine, sessionId);
    if (claim !== null && claim.owner !== nameOf(owner)) return false;
    if (row.status === 'closed' && row.closedReason === transferred) break;
    const stands = row.head.seq === (base?.seq ?? 0) && row.head.turnId === (base?.turnId ?? null);
    if (!stands || row.status === 'closed' || row.status === 'expired') return false;
    const result = await engine.try(sessionId, {
      guards: {
        status: SessionStateMachine.allowed.close,
        revision: row.revision,
        records: [guard],
      },
      status: { to: 'closed', reason: transferred },
      event: { type: 'closed', data: JSON.stringify({ reason: transferred }) },
      expiry: engine.expiry,
    });
    if (result.refused === undefined) break;
    // Changed in between, perhaps by the same request beside this one: looked at once more.
  }
  // Deleted meanwhile, by the same request beside this one, is what was wanted.
  await deleteSession(engine, sessionId, false).catch(async (error: unknown) => {
    if ((await engine.store.session(sessionId)) !== null) throw error;
  });
  return true;
}
