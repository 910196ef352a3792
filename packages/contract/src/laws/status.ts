import assert from 'node:assert/strict';
import type { SessionStatus, Sessions } from '@lexigram/ai-session';
import type { Law, LawBench } from '../law.ts';
import { picture, say, turnsOf } from '../reading.ts';
import { type Fault, refused } from '../refusals.ts';

/** A session on which every call would do, were it in the right status. */
interface Ready {
  readonly sessions: Sessions;
  readonly sessionId: string;
  readonly turnId: string;
  readonly checkpointId: string;
  /** A branch that is active, whatever the session is. */
  readonly branchId: string;
}

type Call = (ready: Ready) => Promise<unknown>;

const statuses: readonly SessionStatus[] = ['active', 'suspended', 'closed', 'expired'];
const always = statuses;
const writable: readonly SessionStatus[] = ['active'];
const open: readonly SessionStatus[] = ['active', 'suspended'];

/** The table of the design: each call, and the statuses in which it is allowed. */
const table: Readonly<Record<string, readonly [readonly SessionStatus[], Call]>> = {
  getState: [
    always,
    ({ sessionId, sessions }) => sessions.manager.getState(sessionId, { turns: 'all' }),
  ],
  turns: [always, ({ sessionId, sessions }) => turnsOf(sessions.manager, sessionId)],
  'checkpoints.get': [
    always,
    ({ checkpointId, sessions }) => sessions.checkpoints.get(checkpointId),
  ],
  'checkpoints.list': [always, ({ sessionId, sessions }) => sessions.checkpoints.list(sessionId)],
  'checkpoints.diff': [
    always,
    ({ checkpointId, sessions }) => sessions.checkpoints.diff(checkpointId, checkpointId),
  ],
  'branches.list': [always, ({ sessionId, sessions }) => sessions.branches.list(sessionId)],
  siblings: [
    always,
    ({ sessionId, sessions, turnId }) => sessions.manager.siblings(sessionId, turnId),
  ],
  'branches.tree': [always, ({ sessionId, sessions }) => sessions.branches.tree(sessionId)],
  select: [
    writable,
    ({ sessionId, sessions, turnId }) => sessions.manager.select(sessionId, turnId),
  ],
  'branches.diff': [
    always,
    ({ branchId, sessionId, sessions }) => sessions.branches.diff(sessionId, branchId),
  ],
  'branches.merge from it': [
    always,
    ({ branchId, sessionId, sessions }) => sessions.branches.merge(branchId, sessionId),
  ],
  'branches.merge into it': [
    writable,
    ({ branchId, sessionId, sessions }) => sessions.branches.merge(sessionId, branchId),
  ],
  'analytics.session': [always, ({ sessionId, sessions }) => sessions.analytics.session(sessionId)],
  'branches.fork': [always, ({ sessionId, sessions }) => sessions.branches.fork(sessionId, 'b')],
  delete: [always, ({ sessionId, sessions }) => sessions.manager.delete(sessionId)],
  checkpoint: [open, ({ sessionId, sessions }) => sessions.manager.checkpoint(sessionId)],
  close: [open, ({ sessionId, sessions }) => sessions.manager.close(sessionId)],
  resume: [['suspended'], ({ sessionId, sessions }) => sessions.manager.resume(sessionId)],
  suspend: [writable, ({ sessionId, sessions }) => sessions.manager.suspend(sessionId)],
  addTurn: [writable, ({ sessionId, sessions }) => sessions.manager.addTurn(sessionId, say('x'))],
  addTurns: [
    writable,
    ({ sessionId, sessions }) => sessions.manager.addTurns(sessionId, [say('x'), say('y')]),
  ],
  setVariables: [
    writable,
    ({ sessionId, sessions }) => sessions.manager.setVariables(sessionId, { v: 1 }),
  ],
  setMetadata: [
    writable,
    ({ sessionId, sessions }) => sessions.manager.setMetadata(sessionId, { m: 1 }),
  ],
  restore: [writable, ({ checkpointId, sessions }) => sessions.manager.restore(checkpointId)],
  rewind: [writable, ({ sessionId, sessions }) => sessions.manager.rewind(sessionId, { toSeq: 1 })],
  edit: [
    writable,
    ({ sessionId, sessions, turnId }) => sessions.manager.edit(sessionId, turnId, 'x'),
  ],
  regenerate: [
    writable,
    ({ sessionId, sessions, turnId }) => sessions.manager.regenerate(sessionId, turnId),
  ],
  undo: [writable, ({ sessionId, sessions }) => sessions.manager.undo(sessionId)],
  redo: [writable, ({ sessionId, sessions }) => sessions.manager.redo(sessionId)],
};

async function readyIn(bench: LawBench, status: SessionStatus): Promise<Ready> {
  const sessions = await bench.open({ sessionTtl: 60, maxSessionsPerUser: 1_000 });
  const { checkpoints, manager } = sessions;
  const { sessionId } = await manager.create({ userId: 'u' });
  await manager.addTurn(sessionId, say('question'));
  const { turn } = await manager.addTurn(sessionId, { role: 'assistant', content: 'answer' });
  const { checkpointId } = await checkpoints.create(sessionId);
  for (const toSeq of [2, 1]) await manager.rewind(sessionId, { toSeq });
  await manager.undo(sessionId);
  if (status === 'suspended') await manager.suspend(sessionId);
  if (status === 'closed') await manager.close(sessionId);
  if (status === 'expired') bench.clock.advance(60_000);
  const { sessionId: branchId } = await sessions.branches.fork(sessionId, 'b', { atSeq: 1 });
  await manager.addTurn(branchId, say('branch'));
  return { sessions, sessionId, turnId: turn.turnId, checkpointId, branchId };
}

const faults: Readonly<Record<SessionStatus, Fault>> = {
  active: 'transition',
  suspended: 'transition',
  closed: 'closed',
  expired: 'expired',
};

async function allowedIn(bench: LawBench, status: SessionStatus): Promise<void> {
  for (const [name, [allowed, call]] of Object.entries(table)) {
    const ready = await readyIn(bench, status);
    assert.equal((await ready.sessions.manager.getState(ready.sessionId)).status, status);
    if (allowed.includes(status)) {
      await assert.doesNotReject(call(ready), `${name} is allowed when ${status}`);
    } else {
      const before = await picture(bench.store, ready.sessionId);
      await refused(call(ready), faults[status], { sessionId: ready.sessionId });
      assert.deepEqual(await picture(bench.store, ready.sessionId), before, name);
    }
  }
}

/** The table of statuses: what is allowed in each. */
export const statusLaws: readonly Law[] = [
  {
    id: 'status/active',
    promise: 'When active, everything is allowed but resume.',
    check: (bench) => allowedIn(bench, 'active'),
  },
  {
    id: 'status/suspended',
    promise:
      'When suspended: read, checkpoint, fork, resume, close, delete; else SessionTransitionError.',
    check: (bench) => allowedIn(bench, 'suspended'),
  },
  {
    id: 'status/closed',
    promise: 'When closed: read, fork, delete; else SessionClosedError.',
    check: (bench) => allowedIn(bench, 'closed'),
  },
  {
    id: 'status/expired',
    promise: 'When expired: read, fork, delete; else SessionExpiredError.',
    check: (bench) => allowedIn(bench, 'expired'),
  },
  {
    id: 'status/changes',
    promise:
      'Suspend, resume and close change the status in one revision, and close keeps its reason.',
    async check(bench) {
      const { manager } = await bench.open();
      const { revision, sessionId } = await manager.create({ userId: 'u' });
      const seen = [
        await manager.suspend(sessionId),
        await manager.resume(sessionId),
        await manager.suspend(sessionId),
        await manager.close(sessionId, { reason: 'enough' }),
      ];
      assert.deepEqual(
        seen.map((state) => [state.status, state.revision - revision, state.closedReason]),
        [
          ['suspended', 1, null],
          ['active', 2, null],
          ['suspended', 3, null],
          ['closed', 4, 'enough'],
        ],
      );
      assert.deepEqual(await manager.getState(sessionId), seen[3]);
    },
  },
];
