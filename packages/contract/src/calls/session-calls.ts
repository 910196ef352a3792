import type { ScopedSessions, SessionManager } from '@lexigram/ai-session';
import { say } from '../reading.ts';

/** What a call on somebody's session names. */
export interface Names {
  readonly sessionId: string;
  readonly turnId: string;
  readonly checkpointId: string;
  readonly otherCheckpointId: string;
  /** A session and a checkpoint of whoever calls. */
  readonly ownId: string;
  readonly ownCheckpointId: string;
}

export type Services = Pick<ScopedSessions, 'manager' | 'checkpoints' | 'branches' | 'analytics'>;
type Call = (services: Services, names: Names) => Promise<unknown>;

/** A row for each method of each service that names a session; null for those that name none. */
export const sessionCalls: Readonly<
  Record<keyof Services, Readonly<Record<string, readonly Call[] | null>>>
> = {
  manager: {
    create: null,
    list: null,
    getState: [
      ({ manager }, { sessionId }) => manager.getState(sessionId),
      ({ manager }, { sessionId }) => manager.getState(sessionId, { turns: 'all' }),
    ],
    turns: [({ manager }, { sessionId }) => manager.turns(sessionId).next()],
    addTurn: [
      ({ manager }, { sessionId }) => manager.addTurn(sessionId, say('x')),
      // The very turn that stands there: a stranger must not learn that it does.
      ({ manager }, { sessionId, turnId }) => manager.addTurn(sessionId, say('t1', { turnId })),
      ({ manager }, { sessionId }) => manager.addTurn(sessionId, say('x'), { operationId: 'op' }),
    ],
    addTurns: [({ manager }, { sessionId }) => manager.addTurns(sessionId, [say('x'), say('y')])],
    setVariables: [
      ({ manager }, { sessionId }) => manager.setVariables(sessionId, { v: 1 }),
      ({ manager }, { sessionId }) =>
        manager.setVariables(sessionId, { v: 1 }, { expectedRevision: 0 }),
    ],
    setMetadata: [
      ({ manager }, { sessionId }) => manager.setMetadata(sessionId, { m: 1 }),
      ({ manager }, { sessionId }) =>
        manager.setMetadata(sessionId, { m: 1 }, { operationId: 'op' }),
    ],
    suspend: [({ manager }, { sessionId }) => manager.suspend(sessionId)],
    resume: [({ manager }, { sessionId }) => manager.resume(sessionId)],
    close: [({ manager }, { sessionId }) => manager.close(sessionId)],
    delete: [
      ({ manager }, { sessionId }) => manager.delete(sessionId),
      ({ manager }, { sessionId }) => manager.delete(sessionId, { withBranches: true }),
      ({ manager }, { sessionId }) => manager.delete(sessionId, { operationId: 'op' }),
    ],
    checkpoint: [({ manager }, { sessionId }) => manager.checkpoint(sessionId, { label: 'l' })],
    restore: [({ manager }, { checkpointId }) => manager.restore(checkpointId)],
    rewind: [
      ({ manager }, { sessionId }) => manager.rewind(sessionId, { toSeq: 1 }),
      ({ manager }, { sessionId, turnId }) => manager.rewind(sessionId, { toTurn: turnId }),
      ({ manager }, { sessionId }) =>
        manager.rewind(sessionId, { toSeq: 1 }, { operationId: 'op' }),
    ],
    edit: [({ manager }, { sessionId, turnId }) => manager.edit(sessionId, turnId, 'x')],
    regenerate: [({ manager }, { sessionId, turnId }) => manager.regenerate(sessionId, turnId)],
    siblings: [({ manager }, { sessionId, turnId }) => manager.siblings(sessionId, turnId)],
    select: [
      ({ manager }, { sessionId, turnId }) => manager.select(sessionId, turnId),
      ({ manager }, { sessionId, turnId }) =>
        manager.select(sessionId, turnId, { operationId: 'op' }),
    ],
    undo: [({ manager }, { sessionId }) => manager.undo(sessionId)],
    // Not among a scoped manager's types, and refused when it is called all the same.
    transfer: [
      ({ manager }, { sessionId }) =>
        (manager as unknown as SessionManager).transfer(sessionId, { userId: 'x' }),
    ],
    redo: [({ manager }, { sessionId }) => manager.redo(sessionId)],
  },
  checkpoints: {
    create: [({ checkpoints }, { sessionId }) => checkpoints.create(sessionId)],
    get: [({ checkpoints }, { checkpointId }) => checkpoints.get(checkpointId)],
    list: [({ checkpoints }, { sessionId }) => checkpoints.list(sessionId)],
    restore: [
      ({ checkpoints }, { checkpointId }) => checkpoints.restore(checkpointId),
      ({ checkpoints }, { checkpointId }) =>
        checkpoints.restore(checkpointId, { operationId: 'op' }),
    ],
    delete: [
      ({ checkpoints }, { checkpointId }) => checkpoints.delete(checkpointId),
      ({ checkpoints }, { checkpointId }) =>
        checkpoints.delete(checkpointId, { operationId: 'op' }),
    ],
    diff: [
      ({ checkpoints }, { checkpointId, otherCheckpointId }) =>
        checkpoints.diff(checkpointId, otherCheckpointId),
      ({ checkpoints }, { checkpointId, ownCheckpointId }) =>
        checkpoints.diff(ownCheckpointId, checkpointId),
      ({ checkpoints }, { checkpointId, ownCheckpointId }) =>
        checkpoints.diff(checkpointId, ownCheckpointId),
    ],
  },
  branches: {
    fork: [
      ({ branches }, { sessionId }) => branches.fork(sessionId, 'b'),
      ({ branches }, { sessionId, turnId }) => branches.fork(sessionId, 'b', { atTurn: turnId }),
      ({ branches }, { checkpointId, sessionId }) =>
        branches.fork(sessionId, 'b', { fromCheckpoint: checkpointId }),
      ({ branches }, { checkpointId, ownId }) =>
        branches.fork(ownId, 'b', { fromCheckpoint: checkpointId }),
      ({ branches }, { sessionId }) => branches.fork(sessionId, 'b', { operationId: 'op' }),
    ],
    list: [({ branches }, { sessionId }) => branches.list(sessionId)],
    merge: [
      ({ branches }, { ownId, sessionId }) => branches.merge(sessionId, ownId),
      ({ branches }, { ownId, sessionId }) => branches.merge(ownId, sessionId),
      ({ branches }, { ownId, sessionId }) =>
        branches.merge(sessionId, ownId, { operationId: 'op' }),
    ],
    diff: [
      ({ branches }, { ownId, sessionId }) => branches.diff(sessionId, ownId),
      ({ branches }, { ownId, sessionId }) => branches.diff(ownId, sessionId),
    ],
    tree: [({ branches }, { sessionId }) => branches.tree(sessionId)],
  },
  analytics: {
    session: [({ analytics }, { sessionId }) => analytics.session(sessionId)],
    // These name no session: what an owner is told is a law of its own.
    user: [],
    report: [],
    cost: [],
  },
};
