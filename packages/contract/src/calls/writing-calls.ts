import type { Sessions } from '@lexigram/ai-session';
import type { LawBench } from '../law.ts';
import { say, sessionOf } from '../reading.ts';

/** Room for all the sessions that a table of calls makes. */
export const roomy: {
  readonly sessionTtl: number;
  readonly maxSessionsPerUser: number;
  readonly maxBranchesPerSession: number;
} = { sessionTtl: 0, maxSessionsPerUser: 1_000, maxBranchesPerSession: 1_000 };

/** A session on which every call that writes would do. */
export interface Ready {
  readonly sessions: Sessions;
  readonly sessionId: string;
  readonly turnId: string;
  readonly checkpointId: string;
  /** A branch with a turn of its own. */
  readonly branchId: string;
  /** Another session, suspended. */
  readonly asleepId: string;
}

export type Call = (ready: Ready, op: { readonly operationId: string }) => Promise<unknown>;

/** Every call that writes, under one operation id; beside it another request under the same id. */
export const writingCalls: Readonly<Record<string, readonly [Call, Call | null]>> = {
  create: [
    ({ sessions }, op) => sessions.manager.create({ userId: 'u', metadata: { m: 1 }, ...op }),
    ({ sessions }, op) => sessions.manager.create({ userId: 'u', metadata: { m: 2 }, ...op }),
  ],
  addTurn: [
    ({ sessionId, sessions }, op) => sessions.manager.addTurn(sessionId, say('x'), op),
    ({ sessionId, sessions }, op) => sessions.manager.addTurn(sessionId, say('y'), op),
  ],
  addTurns: [
    ({ sessionId, sessions }, op) =>
      sessions.manager.addTurns(sessionId, [say('x'), say('y')], { variables: { a: 1 }, ...op }),
    ({ sessionId, sessions }, op) =>
      sessions.manager.addTurns(sessionId, [say('x'), say('y')], { variables: { a: 2 }, ...op }),
  ],
  setVariables: [
    ({ sessionId, sessions }, op) => sessions.manager.setVariables(sessionId, { v: 1 }, op),
    ({ sessionId, sessions }, op) =>
      sessions.manager.setVariables(sessionId, { v: 1 }, { unset: ['w'], ...op }),
  ],
  setMetadata: [
    ({ sessionId, sessions }, op) => sessions.manager.setMetadata(sessionId, { m: 1 }, op),
    ({ sessionId, sessions }, op) => sessions.manager.setMetadata(sessionId, { m: 2 }, op),
  ],
  suspend: [
    ({ sessionId, sessions }, op) => sessions.manager.suspend(sessionId, op),
    ({ sessionId, sessions }, op) => sessions.manager.resume(sessionId, op),
  ],
  resume: [
    ({ asleepId, sessions }, op) => sessions.manager.resume(asleepId, op),
    ({ asleepId, sessions }, op) => sessions.manager.suspend(asleepId, op),
  ],
  close: [
    ({ sessionId, sessions }, op) => sessions.manager.close(sessionId, { reason: 'a', ...op }),
    ({ sessionId, sessions }, op) => sessions.manager.close(sessionId, { reason: 'b', ...op }),
  ],
  checkpoint: [
    ({ sessionId, sessions }, op) => sessions.checkpoints.create(sessionId, { label: 'a', ...op }),
    ({ sessionId, sessions }, op) => sessions.checkpoints.create(sessionId, { label: 'b', ...op }),
  ],
  deleteCheckpoint: [
    ({ checkpointId, sessions }, op) => sessions.checkpoints.delete(checkpointId, op),
    ({ sessionId, sessions }, op) => sessions.manager.undo(sessionId, op),
  ],
  restore: [
    ({ checkpointId, sessions }, op) => sessions.checkpoints.restore(checkpointId, op),
    ({ sessionId, sessions }, op) => sessions.manager.rewind(sessionId, { toSeq: 1 }, op),
  ],
  rewind: [
    ({ sessionId, sessions }, op) => sessions.manager.rewind(sessionId, { toSeq: 1 }, op),
    ({ sessionId, sessions }, op) => sessions.manager.rewind(sessionId, { toSeq: 0 }, op),
  ],
  edit: [
    ({ sessionId, sessions, turnId }, op) => sessions.manager.edit(sessionId, turnId, 'x', op),
    ({ sessionId, sessions, turnId }, op) => sessions.manager.edit(sessionId, turnId, 'y', op),
  ],
  regenerate: [
    ({ sessionId, sessions, turnId }, op) => sessions.manager.regenerate(sessionId, turnId, op),
    ({ sessionId, sessions }, op) => sessions.manager.redo(sessionId, op),
  ],
  select: [
    ({ sessionId, sessions, turnId }, op) => sessions.manager.select(sessionId, turnId, op),
    ({ sessionId, sessions }, op) => sessions.manager.undo(sessionId, op),
  ],
  undo: [
    ({ sessionId, sessions }, op) => sessions.manager.undo(sessionId, op),
    ({ sessionId, sessions }, op) => sessions.manager.redo(sessionId, op),
  ],
  redo: [
    ({ sessionId, sessions }, op) => sessions.manager.redo(sessionId, op),
    ({ checkpointId, sessions }, op) => sessions.checkpoints.delete(checkpointId, op),
  ],
  fork: [
    ({ sessionId, sessions }, op) => sessions.branches.fork(sessionId, 'a', op),
    ({ sessionId, sessions }, op) => sessions.branches.fork(sessionId, 'b', op),
  ],
  merge: [
    ({ branchId, sessionId, sessions }, op) => sessions.branches.merge(sessionId, branchId, op),
    ({ branchId, sessionId, sessions }, op) =>
      sessions.branches.merge(sessionId, branchId, { onConflict: 'parent', ...op }),
  ],
  delete: [({ sessionId, sessions }, op) => sessions.manager.delete(sessionId, op), null],
};

export async function readyForAll(bench: LawBench): Promise<Ready> {
  const sessions = await bench.open(roomy);
  const { checkpoints, manager } = sessions;
  const { sessionId } = await sessionOf(sessions, 1);
  const { turn } = await manager.addTurn(sessionId, { role: 'assistant', content: 'answer' });
  const { checkpointId } = await checkpoints.create(sessionId);
  for (const toSeq of [2, 2]) await manager.rewind(sessionId, { toSeq });
  await manager.undo(sessionId);
  const { sessionId: branchId } = await sessions.branches.fork(sessionId, 'b');
  await manager.addTurn(branchId, say('branch'));
  const { sessionId: asleepId } = await manager.create({ userId: 'u' });
  await manager.suspend(asleepId);
  return { sessions, sessionId, turnId: turn.turnId, checkpointId, branchId, asleepId };
}
