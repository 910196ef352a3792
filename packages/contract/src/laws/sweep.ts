import assert from 'node:assert/strict';
import {
  SessionCleanupScheduler,
  type SessionConfigInput,
  type SweepReport,
} from '@lexigram/ai-session';
import type { Law, LawBench } from '../law.ts';
import { inOneTick, range } from '../many.ts';
import { rawTimeline, rawTurn } from '../raw.ts';
import { feedOf, say, sessionOf, textsOf } from '../reading.ts';
import { leftTurns, nothingLeft } from '../remains.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

/** A sweeper, like one of many processes, that tells the time of the store. */
function sweeperOn(
  { clock, store }: LawBench,
  config: SessionConfigInput,
): SessionCleanupScheduler {
  return new SessionCleanupScheduler({ store, config }, { clock: () => clock.now() });
}

/** Sweeps, and answers the counts that are not 0. */
async function sweep(
  bench: LawBench,
  config: SessionConfigInput,
): Promise<Partial<Record<keyof SweepReport, number>>> {
  const { failures, ...counts } = await sweeperOn(bench, config).sweep();
  assert.deepEqual(failures, []);
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

/** Promises 6 and 7: what the sweep does, on any store. */
export const sweepLaws: readonly Law[] = [
  {
    id: 'sweep/expired-once',
    promise:
      'Of many sweepers one marks a session that has run out, and tells of it; a touched one lives.',
    async check(bench) {
      const config = { sessionTtl: 60, maxSessionsPerUser: 1_000 };
      const { manager } = await bench.open(config);
      const count = bench.scale(100, 12);
      const ids: string[] = [];
      for (const _ of range(1, count)) ids.push((await manager.create({ userId: 'u' })).sessionId);
      const { sessionId: touched } = await manager.create({ userId: 'u' });
      bench.clock.advance(minute - 1);
      await manager.addTurn(touched, say('still here'));
      bench.clock.advance(1);
      const { lost, won } = await inOneTick(5, () => sweep(bench, config));
      assert.deepEqual(lost, []);
      assert.equal(
        won.reduce((sum, { expired = 0 }) => sum + expired, 0),
        count,
      );
      for (const id of ids) {
        const ends = (await feedOf(bench.store, id)).filter(({ type }) => type === 'expired');
        assert.equal(ends.length, 1);
        assert.equal((await manager.getState(id)).revision, 2);
      }
      assert.equal((await manager.getState(touched)).status, 'active');
      assert.deepEqual(await textsOf(manager, touched), ['still here']);
      assert.deepEqual(await sweep(bench, config), {});
    },
  },
  {
    id: 'sweep/retention',
    promise:
      'An expired session is purged after its retention, but for what a living branch reads.',
    async check(bench) {
      const config = { sessionTtl: 60, retention: 600 };
      const sessions = await bench.open(config);
      const { sessionId } = await sessionOf(sessions, 4);
      const branch = await sessions.branches.fork(sessionId, 'b', { atSeq: 2 });
      await sessions.manager.close(branch.sessionId);
      bench.clock.advance(minute);
      assert.deepEqual(await sweep(bench, config), { expired: 1, confirmed: 1 });
      bench.clock.advance(10 * minute - 1);
      assert.deepEqual(await sweep(bench, config), {});
      assert.equal((await sessions.manager.getState(sessionId)).status, 'expired');
      bench.clock.advance(1);
      assert.deepEqual(await sweep(bench, config), { purged: 1 });
      assert.equal(await bench.store.session(sessionId), null);
      assert.deepEqual(await leftTurns(bench.store, sessionId), ['t1', 't2']);
      assert.deepEqual(await textsOf(sessions.manager, branch.sessionId), ['t1', 't2']);
      await sessions.manager.delete(branch.sessionId);
      await nothingLeft(bench.store, sessionId);
    },
  },
  {
    id: 'sweep/holds',
    promise:
      'A hold without a branch is dropped after its time; one with a branch stands for good.',
    async check(bench) {
      const config = { sessionTtl: 0, maxBranchesPerSession: 2 };
      const sessions = await bench.open(config);
      const { head, sessionId } = await sessionOf(sessions, 3);
      const branch = await sessions.branches.fork(sessionId, 'b');
      const value = JSON.stringify([head.timelineId, 3]);
      const lost = { kind: 'branch', key: 'never-came', value, dueInMs: minute };
      await bench.store.commit(sessionId, { records: [lost] });
      bench.clock.advance(minute - 1);
      assert.deepEqual(await sweep(bench, config), {});
      bench.clock.advance(1);
      assert.deepEqual(await sweep(bench, config), { confirmed: 1, released: 1 });
      const held = await bench.store.records(sessionId, 'branch', { limit: 9 });
      assert.deepEqual(
        held.map(({ dueAt, key }) => [key, dueAt]),
        [[branch.sessionId, null]],
      );
      await bench.store.commit(sessionId, { records: [lost] });
      await sessions.manager.delete(branch.sessionId);
      await sessions.manager.delete(sessionId);
      assert.deepEqual(await leftTurns(bench.store, sessionId), ['t1', 't2', 't3']);
      bench.clock.advance(minute);
      assert.deepEqual(await sweep(bench, config), { released: 1, erased: 1 });
      await nothingLeft(bench.store, sessionId);
    },
  },
  {
    id: 'sweep/cut-short',
    promise:
      'What a delete that was cut short left is erased by the sweep; after its window its id is free.',
    async check(bench) {
      const config = { sessionTtl: 0 };
      const sessions = await bench.open(config);
      const { sessionId } = await sessionOf(sessions, 5);
      const branch = await sessions.branches.fork(sessionId, 'b', { atSeq: 1 });
      await bench.store.erase(branch.sessionId, { limit: 1 });
      await bench.store.erase(sessionId, { limit: 1 });
      const { erased = 0, ...rest } = await sweep(bench, config);
      // The branch lets go of its parent, which is then looked at again if it was done first.
      assert.ok(erased >= 2 && erased <= 3, `${erased} erased`);
      assert.deepEqual(rest, {});
      for (const id of [sessionId, branch.sessionId]) await nothingLeft(bench.store, id);
      bench.clock.advance(day + 2 * 60 * minute);
      assert.ok(((await sweep(bench, config)).collected ?? 0) >= 2);
      await sessions.manager.create({ userId: 'u', sessionId });
      assert.deepEqual(await textsOf(sessions.manager, sessionId), []);
    },
  },
  {
    id: 'sweep/never-used',
    promise: 'A timeline that was opened out of sight and that nobody fills any more is erased.',
    async check(bench) {
      const config = { sessionTtl: 0 };
      const sessions = await bench.open(config);
      const { sessionId } = await sessionOf(sessions, 2);
      const id = `${sessionId}.2`;
      const turns = range(1, 3).map((n) =>
        rawTurn(`c${n}`, { origin: { timelineId: 'x.1', seq: n } }),
      );
      await bench.store.commit(sessionId, {
        timeline: rawTimeline(sessionId, 2),
        append: { timelineId: id, turns },
        records: [{ kind: 'staged', key: '2', value: '', dueInMs: minute }],
      });
      const before = await sessions.manager.getState(sessionId);
      bench.clock.advance(minute);
      const { lost, won } = await inOneTick(4, () => sweep(bench, config));
      assert.deepEqual(lost, []);
      assert.deepEqual(
        won.filter(({ dropped }) => dropped !== undefined),
        [{ dropped: 1 }],
      );
      assert.deepEqual(await bench.store.timelines([id]), [null]);
      assert.deepEqual(await leftTurns(bench.store, sessionId), ['t1', 't2']);
      assert.deepEqual(await sessions.manager.getState(sessionId), before);
    },
  },
  {
    id: 'sweep/window',
    promise: 'Journal and operations are dropped after a day and an hour, and nothing younger.',
    async check(bench) {
      const config = { sessionTtl: 0 };
      const { manager } = await bench.open(config);
      const { sessionId } = await manager.create({ userId: 'u' });
      const old = bench.scale(1_200, 7);
      for (const n of range(1, old)) {
        await manager.setMetadata(sessionId, { n }, { operationId: `op${n}` });
      }
      bench.clock.advance(day - 1);
      await manager.setMetadata(sessionId, { n: 'young' }, { operationId: 'young' });
      assert.deepEqual(await sweep(bench, config), {});
      bench.clock.advance(60 * minute + 2);
      await sweep(bench, config);
      const revisions = (await feedOf(bench.store, sessionId)).map(({ revision }) => revision);
      assert.deepEqual(revisions, [old + 2]);
      const operations = await bench.store.records(sessionId, 'operation', { limit: 9 });
      assert.deepEqual(
        operations.map(({ key }) => key),
        ['young'],
      );
      assert.deepEqual((await manager.getState(sessionId)).metadata, { n: 'young' });
    },
  },
];
