import { createHash } from 'node:crypto';
import { SessionNotFoundError } from '../errors.ts';
import type { Engine } from '../manager/engine.ts';
import { refusalError } from '../manager/refusal-error.ts';
import type { SessionStatus } from '../session/state.ts';
import { SessionStateMachine } from '../session/state-machine.ts';
import type { RecordGuard, RecordWrite } from '../store/port.ts';
import type { Owner, SessionHead, SessionRow } from '../store/rows.ts';

/** Who is about to get a session, and how it stood before it was suspended for that. */
export interface TransferClaim {
  readonly owner: string;
  readonly was: SessionStatus;
}

/** Why a session that was given away is closed, for the moment until it is deleted. */
export const transferred = 'transferred';

const place = { kind: 'transfer', key: '' } as const;
/** A claim changes its hands only where it was given up, so that this ends. */
const attempts = 10;

export function nameOf({ tenantId, userId }: Owner): string {
  return createHash('sha256')
    .update(JSON.stringify([tenantId, userId]))
    .digest('base64url');
}

/** The claim on a session, and the guard that nobody else has got it since. */
export async function readClaim(
  engine: Engine,
  sessionId: string,
): Promise<{ readonly claim: TransferClaim | null; readonly guard: RecordGuard }> {
  const record = await engine.store.record(sessionId, place.kind, place.key);
  const claim = record === null ? null : (JSON.parse(record.value) as TransferClaim);
  return { claim, guard: { ...place, version: record?.version ?? null } };
}

/**
 * Suspends a session for one owner: of several that want it at once, one gets it, and for the others it is unknown.
 * The same owner may ask several times at once. A claim on a session that goes on was given up.
 */
export async function claimSession(
  engine: Engine,
  sessionId: string,
  owner: Owner,
): Promise<{ readonly row: SessionRow; readonly claim: TransferClaim }> {
  for (let attempt = 1; ; attempt++) {
    const row = await engine.session(sessionId);
    const { claim, guard } = await readClaim(engine, sessionId);
    const suspended = row.status === 'suspended';
    // Given away already, and about to be deleted.
    const isGone = row.status === 'closed' && row.closedReason === transferred;
    if (claim !== null && isGone) throw new SessionNotFoundError(sessionId);
    if (claim !== null && suspended) {
      if (claim.owner !== nameOf(owner)) throw new SessionNotFoundError(sessionId);
      return { row, claim };
    }
    const mine: TransferClaim = { owner: nameOf(owner), was: row.status };
    const write: RecordWrite = { ...place, value: JSON.stringify(mine) };
    const result = await engine.try(sessionId, {
      guards: {
        status: suspended ? ['suspended'] : SessionStateMachine.allowed.suspend,
        records: [guard],
      },
      records: [write],
      ...(suspended
        ? {}
        : { status: { to: 'suspended' }, event: { type: 'suspended' }, expiry: engine.expiry }),
    });
    if (result.refused === undefined) return { row: await engine.session(sessionId), claim: mine };
    const changed =
      result.refused === 'expected' || (result.refused === 'status' && isAbout(result.session));
    if (!changed || attempt === attempts) throw refusalError(sessionId, result, 'suspended');
  }
}

/** Whether it is, or was, about to be given away: then it is looked at once more. */
function isAbout({ closedReason, status }: SessionHead): boolean {
  return status === 'suspended' || (status === 'closed' && closedReason === transferred);
}

/** Lets a session go on as it did before it was claimed. */
export async function giveUpClaim(
  engine: Engine,
  sessionId: string,
  { was }: TransferClaim,
): Promise<void> {
  const { guard } = await readClaim(engine, sessionId);
  if (guard.version === null) return;
  await engine.try(sessionId, {
    guards: { status: SessionStateMachine.allowed.resume, records: [guard] },
    records: [{ ...place, delete: true }],
    ...(was === 'suspended'
      ? {}
      : { status: { to: 'active' }, event: { type: 'resumed' }, expiry: engine.expiry }),
  });
}
