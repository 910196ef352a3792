import { SessionCapacityError } from '../errors.ts';
import { createWithId } from '../manager/create.ts';
import type { Engine } from '../manager/engine.ts';
import type { Destination } from '../manager/moves.ts';
import { timelineId } from '../session/ids.ts';
import type { Committed, NewSession, OperationKey } from '../store/port.ts';
import type { Owner, ParentLink, Point, SessionRow } from '../store/rows.ts';
import { openTimeline } from '../timeline/lineage.ts';
import { type HoldRequest, holdFor, keepHolds } from './hold.ts';
import { foreignReach } from './reach.ts';

/** Whose the new session is, and what it is called. */
export interface BranchOwnership {
  readonly owner: Owner;
  readonly ownerCap: number | null;
  /** Null for a session that stands alone, though it starts with another one's history. */
  readonly parent: ParentLink | null;
  readonly operation: OperationKey | undefined;
}

/**
 * Makes a session that starts at a point of another one's history, with its metadata and the variables there.
 *
 * @throws SessionCapacityError past a cap; SessionNotFoundError if the other one was deleted meanwhile
 */
export async function makeBranch(
  engine: Engine,
  source: SessionRow,
  { from, point }: Destination,
  { operation, owner, ownerCap, parent }: BranchOwnership,
): Promise<Committed> {
  const { maxTurnsPerSession } = engine.config;
  if (point.seq >= maxTurnsPerSession) {
    throw new SessionCapacityError(
      `a branch at seq ${point.seq} has reached the turn limit (${maxTurnsPerSession})`,
      'maxTurnsPerSession',
      maxTurnsPerSession,
    );
  }
  const variables = await variablesAt(engine, point);
  const load = (ids: readonly string[]) => engine.store.timelines(ids);
  const holds = new Map<string, HoldRequest>();
  const make = async (sessionId: string): Promise<NewSession> => {
    const id = timelineId(sessionId, 1);
    const timeline = await openTimeline(load, id, from, { ...point, variables: null });
    const reach = await foreignReach(load, sessionId, timeline);
    if ((await engine.store.session(sessionId)) === null) {
      const hold = { parentId: source.sessionId, reach };
      await holdFor(engine, sessionId, hold);
      holds.set(sessionId, hold);
    }
    // The parent knows its branches; others whose turns are read are named here.
    const held = new Set([source.sessionId, ...reach.keys()]);
    if (parent !== null) held.delete(parent.sessionId);
    return {
      sessionId,
      owner,
      timeline,
      parent,
      metadata: source.metadata,
      variables,
      turns: [],
      records: [...held].map((key) => ({ kind: 'held', key, value: '' })),
      expiry: engine.expiry,
      ownerCap,
      ...(operation === undefined ? {} : { operation }),
    };
  };
  const made = await createWithId(engine, undefined, owner, operation, source.sessionId, make);
  const hold = holds.get(made.session.sessionId);
  if (hold !== undefined) await keepHolds(engine, made.session, hold);
  return made;
}

async function variablesAt(engine: Engine, point: Point): Promise<string | null> {
  if (point.variables === null) return null;
  const found = await engine.store.variables(point.variables);
  return found === null || found.json === '{}' ? null : found.json;
}
