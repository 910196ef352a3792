import type { Id } from '../names.ts';
import { findCheckpoint } from './checkpoints.ts';
import { livingBranches, newSession } from './life.ts';
import { placeAtSeq, placeAtTurn } from './moves.ts';
import { type Cap, capped, refuse } from './refusal.ts';
import type { ModelSession, Place, PlainModel } from './session.ts';
import { whole } from './timeline.ts';
import { stateView } from './views.ts';

/** Where a branch starts; at the head if nothing is named. */
export type ForkPlace =
  | { readonly at: 'head' }
  | { readonly at: 'checkpoint'; readonly checkpoint: Id }
  | { readonly at: 'turn'; readonly turn: Id }
  | { readonly at: 'seq'; readonly seq: number };

/** A session of its own with a copy of the history up to a point, allowed in every status. */
export function fork(
  model: PlainModel,
  session: ModelSession,
  branchName: string,
  at: ForkPlace,
): object {
  const { maxBranchesPerSession, maxTurnsPerSession } = model.config;
  const place = placeOf(session, at) ?? refuse('input');
  const seq = place.history.turns.length;
  const caps: Cap[] = [];
  if (seq >= maxTurnsPerSession) caps.push('maxTurnsPerSession');
  if (livingBranches(model, session).length >= maxBranchesPerSession) {
    caps.push('maxBranchesPerSession');
  }
  if (caps.length > 0) capped(...caps);
  const branch = newSession(model, {
    id: null,
    owner: session.owner,
    metadata: session.metadata,
    place,
    parent: { session, branchName, seq },
  });
  return stateView(model, branch);
}

function placeOf(session: ModelSession, at: ForkPlace): Place | null {
  const { timeline } = session;
  switch (at.at) {
    case 'head':
      return { history: whole(timeline), latest: timeline.latest };
    case 'checkpoint':
      return findCheckpoint(session, at.checkpoint);
    case 'turn':
      return placeAtTurn(session, at.turn);
    case 'seq':
      return placeAtSeq(session, at.seq);
  }
}
