import assert from 'node:assert/strict';
import type { SessionState } from '@lexigram/ai-session';
import type { Law } from '../law.ts';
import { say, sessionOf, textsOf } from '../reading.ts';
import { refused } from '../refusals.ts';

const ttl = 60;
const config = { sessionTtl: ttl };

/** When a state says it runs out, in milliseconds. */
function endOf(state: SessionState): number {
  return Date.parse(state.expiresAt ?? 'never');
}

/** Promise 6: expiry is a predicate on the store's clock. No sweep runs here. */
export const expiryLaws: readonly Law[] = [
  {
    id: 'expiry/to-the-millisecond',
    promise:
      'A millisecond before its time a session is active and takes turns; at its time it does not.',
    async check(bench) {
      const sessions = await bench.open(config);
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 1);
      bench.clock.advance(ttl * 1_000 - 1);
      assert.equal((await manager.getState(sessionId)).status, 'active');
      await manager.addTurn(sessionId, say('in time'));
      bench.clock.advance(ttl * 1_000);
      assert.equal((await manager.getState(sessionId)).status, 'expired');
      await refused(manager.addTurn(sessionId, say('late')), 'expired');
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 'in time']);
    },
  },
  {
    id: 'expiry/lists',
    promise: 'Lists by status tell who has run out, swept or not.',
    async check(bench) {
      const { manager } = await bench.open(config);
      const early = await manager.create({ userId: 'u' });
      bench.clock.advance(ttl * 500);
      const late = await manager.create({ userId: 'u' });
      bench.clock.advance(ttl * 500);
      const ids = async (status: 'active' | 'expired'): Promise<readonly string[]> =>
        (await manager.list({ status })).items.map(({ sessionId }) => sessionId);
      assert.deepEqual(await ids('expired'), [early.sessionId]);
      assert.deepEqual(await ids('active'), [late.sessionId]);
    },
  },
  {
    id: 'expiry/last-change',
    promise: 'The time to live counts from the last change, whatever the change was.',
    async check(bench) {
      const sessions = await bench.open(config);
      const { checkpoints, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 2);
      const { checkpointId } = await checkpoints.create(sessionId, { label: 'x' });
      const changes: Record<string, () => Promise<unknown>> = {
        addTurn: () => manager.addTurn(sessionId, say('a')),
        addTurns: () => manager.addTurns(sessionId, [say('b')]),
        setVariables: () => manager.setVariables(sessionId, { v: 1 }),
        setMetadata: () => manager.setMetadata(sessionId, { m: 1 }),
        checkpoint: () => checkpoints.create(sessionId),
        restore: () => checkpoints.restore(checkpointId),
        undo: () => manager.undo(sessionId),
        redo: () => manager.redo(sessionId),
        rewind: () => manager.rewind(sessionId, { toSeq: 1 }),
        deleteCheckpoint: () => checkpoints.delete(checkpointId),
        suspend: () => manager.suspend(sessionId),
        resume: () => manager.resume(sessionId),
      };
      for (const [name, change] of Object.entries(changes)) {
        bench.clock.advance(ttl * 700);
        await change();
        const state = await manager.getState(sessionId);
        assert.equal(endOf(state), bench.clock.now() + ttl * 1_000, name);
        assert.equal(Date.parse(state.updatedAt), bench.clock.now(), name);
      }
    },
  },
  {
    id: 'expiry/no-change',
    promise: 'Reads, duplicates, refused calls and forks of a session do not make it live longer.',
    async check(bench) {
      const sessions = await bench.open(config);
      const { branches, manager } = sessions;
      const { head, sessionId } = await sessionOf(sessions, 1);
      const turn = say('x', { turnId: 'x' });
      await manager.addTurn(sessionId, turn);
      const before = endOf(await manager.getState(sessionId));
      bench.clock.advance(ttl * 500);
      await textsOf(manager, sessionId);
      await manager.list();
      await manager.addTurn(sessionId, turn);
      await refused(manager.addTurn(sessionId, say('y'), { expectedHead: head }), 'conflict');
      await branches.fork(sessionId, 'b');
      assert.equal(endOf(await manager.getState(sessionId)), before);
    },
  },
  {
    id: 'expiry/absolute-age',
    promise:
      'With an absolute age a session ends that long after its creation, however it is used.',
    async check(bench) {
      const { manager } = await bench.open({ sessionTtl: ttl, sessionMaxAge: 100 });
      const { sessionId } = await manager.create({ userId: 'u' });
      const end = bench.clock.now() + 100_000;
      bench.clock.advance(50_000);
      await manager.addTurn(sessionId, say('a'));
      assert.equal(endOf(await manager.getState(sessionId)), end);
      bench.clock.advance(49_999);
      await manager.addTurn(sessionId, say('b'));
      bench.clock.advance(1);
      assert.equal((await manager.getState(sessionId)).status, 'expired');
      await refused(manager.addTurn(sessionId, say('c')), 'expired');
    },
  },
  {
    id: 'expiry/never',
    promise: 'Without a time to live a session never runs out, and expiresAt is null.',
    async check(bench) {
      const { manager } = await bench.open({ sessionTtl: 0 });
      const { expiresAt, sessionId } = await manager.create({ userId: 'u' });
      assert.equal(expiresAt, null);
      bench.clock.advance(10 * 365 * 86_400_000);
      await manager.addTurn(sessionId, say('still here'));
      assert.equal((await manager.getState(sessionId)).expiresAt, null);
    },
  },
  {
    id: 'expiry/suspended-and-closed',
    promise: 'A suspended session runs out like an active one; a closed one stays closed.',
    async check(bench) {
      const { manager } = await bench.open(config);
      const suspended = await manager.create({ userId: 'u' });
      await manager.suspend(suspended.sessionId);
      const closed = await manager.create({ userId: 'u' });
      await manager.close(closed.sessionId, { reason: 'done' });
      bench.clock.advance(ttl * 1_000);
      assert.equal((await manager.getState(suspended.sessionId)).status, 'expired');
      await refused(manager.resume(suspended.sessionId), 'expired');
      const { closedReason, status } = await manager.getState(closed.sessionId);
      assert.deepEqual([status, closedReason], ['closed', 'done']);
      await refused(manager.addTurn(closed.sessionId, say('late')), 'closed');
    },
  },
  {
    id: 'expiry/branches-live-on',
    promise:
      'An expired session can be forked, and its branches live their own time and read all that they had.',
    async check(bench) {
      const sessions = await bench.open(config);
      const { branches, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 3);
      bench.clock.advance(ttl * 1_000);
      const branch = await branches.fork(sessionId, 'after the end');
      assert.equal(branch.status, 'active');
      assert.equal(endOf(branch), bench.clock.now() + ttl * 1_000);
      await manager.addTurn(branch.sessionId, say('on'));
      assert.deepEqual(await textsOf(manager, branch.sessionId), ['t1', 't2', 't3', 'on']);
      assert.equal((await manager.getState(sessionId)).status, 'expired');
    },
  },
];
