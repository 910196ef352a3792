import assert from 'node:assert/strict';
import type { Law } from '../law.ts';
import { range } from '../many.ts';
import { allOf, feedOf, say, sessionOf, textsOf, turnsOf } from '../reading.ts';

const hour = 3_600_000;

/** Promise 10: order is by seq, the feed by revision; time is for display, and is the store's. */
export const orderLaws: readonly Law[] = [
  {
    id: 'order/by-seq',
    promise:
      'Turns stand in the order of their seqs, also when the clock goes back or the times say otherwise.',
    async check(bench) {
      const { manager } = await bench.open({ sessionTtl: 0 });
      const { sessionId } = await manager.create({ userId: 'u' });
      await manager.addTurn(sessionId, say('t1'));
      bench.clock.advance(-hour);
      await manager.addTurn(sessionId, say('t2'));
      await manager.addTurn(sessionId, say('t3', { timestamp: '1999-01-01T00:00:00Z' }));
      await manager.addTurn(sessionId, say('t4', { timestamp: '2099-01-01T00:00:00Z' }));
      bench.clock.advance(2 * hour);
      await manager.rewind(sessionId, { toSeq: 4 });
      await manager.addTurn(sessionId, say('t5'));
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 't2', 't3', 't4', 't5']);
    },
  },
  {
    id: 'order/feed-by-revision',
    promise:
      'The feed stands in the order of revisions, each from 1 on, also when the clock goes back.',
    async check(bench) {
      const sessions = await bench.open({ sessionTtl: 0, autoCheckpointInterval: 2 });
      const { checkpoints, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 3);
      bench.clock.advance(-hour);
      await manager.setVariables(sessionId, { v: 1 });
      await manager.setMetadata(sessionId, { m: 1 });
      const { checkpointId } = await checkpoints.create(sessionId);
      await manager.restore(checkpointId);
      await manager.undo(sessionId);
      await checkpoints.delete(checkpointId);
      await manager.suspend(sessionId);
      await manager.resume(sessionId);
      const { revision } = await manager.close(sessionId);
      const feed = await feedOf(bench.store, sessionId);
      const revisions = feed.map((item) => item.revision);
      assert.deepEqual(
        revisions,
        revisions.toSorted((a, b) => a - b),
      );
      assert.deepEqual([...new Set(revisions)], range(1, revision));
      assert.deepEqual(
        feed.filter((item) => item.revision > 4).map(({ type }) => type),
        'variables metadata checkpoint move move checkpoint_deleted suspended resumed closed'.split(
          ' ',
        ),
      );
    },
  },
  {
    id: 'order/time-is-the-stores',
    promise:
      "Times are the store's clock in ISO 8601 UTC: of a session's making, its last change, its turns and checkpoints.",
    async check(bench) {
      const sessions = await bench.open();
      const { checkpoints, manager } = sessions;
      const made = new Date(bench.clock.now()).toISOString();
      const { createdAt, sessionId, updatedAt } = await manager.create({ userId: 'u' });
      assert.deepEqual([createdAt, updatedAt], [made, made]);
      bench.clock.advance(1_234);
      const now = new Date(bench.clock.now()).toISOString();
      assert.equal((await manager.addTurn(sessionId, say('x'))).turn.timestamp, now);
      assert.equal((await checkpoints.create(sessionId)).createdAt, now);
      const state = await manager.getState(sessionId);
      assert.deepEqual([state.createdAt, state.updatedAt], [made, now]);
      const [turn] = await turnsOf(manager, sessionId);
      assert.equal(turn?.timestamp, now);
    },
  },
  {
    id: 'order/newest-first',
    promise:
      'Sessions are listed newest created first, in one order that changes and pages do not disturb.',
    async check(bench) {
      const { manager } = await bench.open();
      const made: string[][] = [];
      for (const _ of range(1, 3)) {
        const tick: string[] = [];
        for (const _ of range(1, 3)) tick.push((await manager.create({ userId: 'u' })).sessionId);
        made.unshift(tick);
        bench.clock.advance(1);
      }
      const whole = (await manager.list()).items.map(({ sessionId }) => sessionId);
      for (const [i, tick] of made.entries()) {
        assert.deepEqual(whole.slice(i * 3, i * 3 + 3).toSorted(), tick.toSorted());
      }
      await manager.addTurn(whole[7] ?? '', say('changed'));
      for (const limit of [1, 2, 4, 100]) {
        const items = await allOf((page) => manager.list(page), limit);
        assert.deepEqual(
          items.map(({ sessionId }) => sessionId),
          whole,
        );
      }
    },
  },
];
