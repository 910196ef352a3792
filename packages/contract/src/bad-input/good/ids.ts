import assert from 'node:assert/strict';
import { codes, type GoodInputRow } from '../row.ts';
import type { UntypedSessions } from '../untyped.ts';

const proto = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];

/** A legal id makes a session, is given back as it was, and leaves nothing behind when it is deleted. */
async function live(
  { branches, checkpoints, manager }: UntypedSessions,
  input: object,
): Promise<void> {
  const { sessionId } = await manager.create({ ...input, variables: { a: 1 } });
  assert.deepEqual({ ...input, sessionId }, input);
  await manager.addTurn(sessionId, { role: 'user', content: 'x', turnId: sessionId });
  await manager.setVariables(sessionId, { a: 2 });
  await manager.setMetadata(sessionId, { a: 3 });
  const { checkpointId } = await checkpoints.create(sessionId, { label: sessionId });
  assert.equal((await checkpoints.get(checkpointId)).sessionId, sessionId);
  assert.equal((await branches.fork(sessionId, sessionId)).parentSessionId, sessionId);
  const state = await manager.getState(sessionId);
  assert.equal(state.sessionId, sessionId);
  assert.equal(state.head.turnId, sessionId);
  await manager.delete(sessionId, { withBranches: true });
  await assert.rejects(manager.getState(sessionId), { code: codes.notFound });
}

const sessionIds: readonly GoodInputRow[] = [
  ...[...proto, 'a', '-', '_', '0', 'null', 'x'.repeat(128)].map((sessionId) => ({
    id: `the session id ${sessionId}`,
    call: (sessions: UntypedSessions, userId: string) => live(sessions, { userId, sessionId }),
  })),
  {
    id: 'generated session ids are 22 characters of base62',
    call: async ({ manager }, userId) => {
      for (let n = 0; n < 20; n++) {
        assert.match((await manager.create({ userId })).sessionId, /^[0-9A-Za-z]{22}$/);
      }
    },
  },
  {
    id: 'session ids that differ in case',
    call: async ({ manager }, userId) => {
      await manager.create({ userId, sessionId: 'Cases', metadata: { is: 'upper' } });
      await manager.create({ userId, sessionId: 'cases', metadata: { is: 'lower' } });
      await manager.delete('cases');
      assert.deepEqual((await manager.getState('Cases')).metadata, { is: 'upper' });
    },
  },
];

const owners: readonly GoodInputRow[] = [
  ...proto,
  ...['x', 'x'.repeat(256), ' spaced ', '日本', '😀'.repeat(128), "' OR 1=1 --", '%', '*', 'a\\b'],
  ...['\u202eabc', 'a\u200bb', 'user@example.com', '{"a":1}', 'null', '0'],
].map((name) => ({
  id: `the user and tenant id ${JSON.stringify(name.slice(0, 20))}`,
  call: async (sessions, userId) => {
    const owner = { tenantId: name, userId: `${name.slice(0, 240)}${userId}` };
    const { sessionId } = await sessions.manager.create({ ...owner, metadata: { userId } });
    await sessions.manager.create({ ...owner, tenantId: null });
    const own = sessions.as(owner);
    const state = await own.manager.getState(sessionId);
    assert.deepEqual({ tenantId: state.tenantId, userId: state.userId }, owner);
    const listed = [await own.manager.list(), await sessions.manager.list(owner)];
    for (const { items } of listed) assert.deepEqual(items, [state]);
    await assert.rejects(sessions.as({ ...owner, tenantId: null }).manager.getState(sessionId), {
      code: codes.notFound,
    });
  },
}));

const longest: readonly GoodInputRow[] = [
  {
    id: 'a user id of 256 characters, and a tenant id',
    call: async (sessions, user) => {
      const owner = { tenantId: 't'.repeat(256), userId: user.padEnd(256, 'u') };
      const { sessionId } = await sessions.as(owner).manager.create({});
      assert.equal((await sessions.manager.getState(sessionId)).userId, owner.userId);
    },
  },
  {
    id: 'a branch name of 128 characters, a label of 128, a reason of 256, an operation id of 255',
    call: async ({ branches, checkpoints, manager }, userId) => {
      const { sessionId } = await manager.create({ userId });
      const branchName = 'b'.repeat(128);
      assert.equal((await branches.fork(sessionId, branchName)).branchName, branchName);
      const label = ` ${'l'.repeat(126)} `;
      assert.equal((await checkpoints.create(sessionId, { label })).label, label);
      const operationId = '~'.repeat(255);
      const first = await manager.setVariables(sessionId, { a: 1 }, { operationId });
      const again = await manager.setVariables(sessionId, { a: 1 }, { operationId });
      assert.equal(again.revision, first.revision);
      const reason = 'r'.repeat(256);
      assert.equal((await manager.close(sessionId, { reason })).closedReason, reason);
    },
  },
];

const turnIds: readonly GoodInputRow[] = [
  ...proto,
  ...['x', 'x'.repeat(128), '😀'.repeat(64), 'a b', "'", '%', '../x', '*', '{a}', '日本', '0'],
].map((turnId) => ({
  id: `the turn id, agent and operation ${JSON.stringify(turnId.slice(0, 20))}`,
  call: async ({ analytics, manager }, userId) => {
    const { sessionId } = await manager.create({ userId });
    const call = { id: turnId, name: turnId, arguments: { [turnId]: 1 } };
    const turn = { role: 'assistant', content: turnId, turnId, agent: turnId, toolCalls: [call] };
    const added = await manager.addTurn(sessionId, turn);
    assert.deepEqual({ ...added.turn, ...turn }, added.turn);
    assert.equal((await manager.addTurn(sessionId, turn)).duplicate, true);
    const report = await analytics.session(sessionId);
    assert.deepEqual(report.agentsUsed, [turnId]);
    assert.deepEqual(report.toolsInvoked, [turnId]);
    await manager.addTurn(sessionId, { role: 'user', content: '' });
    assert.equal((await manager.rewind(sessionId, { toTurn: turnId })).head.turnId, turnId);
    assert.equal((await manager.edit(sessionId, turnId, 'new')).turnCount, 1);
    assert.equal((await manager.regenerate(sessionId, turnId)).turnCount, 0);
    assert.equal((await manager.undo(sessionId)).turnCount, 1);
  },
}));

export const goodIds: readonly GoodInputRow[] = [...sessionIds, ...owners, ...longest, ...turnIds];
