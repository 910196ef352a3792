import assert from 'node:assert/strict';
import type { Law } from '../law.ts';
import { range } from '../many.ts';
import { rawSession, rawTurn } from '../raw.ts';
import { say, sessionOf, texts, textsOf, turnsOf } from '../reading.ts';
import { refused } from '../refusals.ts';

/** The word "lineage": the segments that make a history, through however many moves and forks. */
export const lineageLaws: readonly Law[] = [
  {
    id: 'moves/base',
    promise:
      'A base names the timeline that physically holds its turn, however many moves and forks led there.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, checkpoints, manager } = sessions;
      const { head, sessionId } = await sessionOf(sessions, 3);
      const { checkpointId } = await checkpoints.create(sessionId);
      const first = await manager.rewind(sessionId, { toSeq: 2 });
      const again = await checkpoints.create(sessionId);
      const ends = [
        first,
        await manager.rewind(sessionId, { toSeq: 2 }),
        await manager.restore(again.checkpointId),
        await branches.fork(sessionId, 'b'),
        await branches.fork(sessionId, 'c', { fromCheckpoint: checkpointId }),
        await manager.rewind(sessionId, { toSeq: 0 }),
        await branches.fork(sessionId, 'd'),
      ];
      const rows = await bench.store.timelines(ends.map((state) => state.head.timelineId));
      assert.deepEqual(
        rows.map((row) => [row?.base?.timelineId, row?.base?.seq]),
        [2, 2, 2, 2, 3, 0, 0].map((seq) => [head.timelineId, seq]),
      );
      for (const [i, row] of rows.entries()) {
        assert.equal(row?.base?.turnId, ends[i]?.head.turnId);
        assert.equal(row?.root, head.timelineId);
      }
    },
  },
  {
    id: 'moves/deep',
    promise: 'A history through hundreds of moves reads right, from end to end and at every point.',
    async check(bench) {
      const sessions = await bench.open({ maxTurnsPerSession: 10_000 });
      const { branches, manager } = sessions;
      const moves = bench.scale(4_200, 200);
      const { sessionId } = await sessionOf(sessions, 1);
      const expected = ['t1'];
      for (const n of range(1, moves)) {
        await manager.rewind(sessionId, { toSeq: expected.length });
        await manager.addTurn(sessionId, say(`m${n}`));
        expected.push(`m${n}`);
        if (n % 50 === 0) {
          expected.splice(expected.length - (n % 7));
          await manager.rewind(sessionId, { toSeq: expected.length });
          await manager.rewind(sessionId, { toSeq: expected.length });
        }
      }
      assert.deepEqual(await textsOf(manager, sessionId), expected);
      for (const seq of [1, 63, 64, 65, 127, 128, 129, expected.length]) {
        const [turn] = await turnsOf(manager, sessionId, { from: seq, to: seq });
        assert.equal(turn?.content, expected[seq - 1]);
        const branch = await branches.fork(sessionId, 'b', { atSeq: seq });
        assert.equal((await textsOf(manager, branch.sessionId)).at(-1), expected[seq - 1]);
        await manager.delete(branch.sessionId);
      }
    },
  },
  {
    id: 'moves/deep-forks',
    promise: 'A session of any number of segments can be forked, and the fork reads what it reads.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 1);
      for (const n of range(1, 70)) {
        await manager.rewind(sessionId, { toSeq: n });
        await manager.addTurn(sessionId, say(`m${n}`));
        const branch = await branches.fork(sessionId, 'b');
        assert.deepEqual(await textsOf(manager, branch.sessionId), ['t1', ...texts(n, 'm')]);
        await manager.delete(branch.sessionId);
      }
    },
  },
  {
    id: 'moves/misfit',
    promise:
      'A base whose turn id no longer fits is SessionCorruptDataError: nothing is skipped or shown instead.',
    async check(bench) {
      const { manager } = await bench.open();
      const { store } = bench;
      await store.create(rawSession('s', { turns: [rawTurn('a'), rawTurn('b')] }));
      for (const [id, base] of Object.entries({
        misfit: { timelineId: 's.1', seq: 2, turnId: 'not b' },
        missing: { timelineId: 's.1', seq: 3, turnId: 'c' },
      })) {
        const point = { ...base, tokens: 0, cost: 0, variables: null };
        const lineage = [{ from: 1, timelineId: 's.1', level: 0 }];
        await store.create(
          rawSession(id, {
            timeline: { timelineId: `${id}.1`, base: point, lineage, chunks: {}, root: 's.1' },
          }),
        );
        await refused(turnsOf(manager, id), 'corrupt');
        await refused(manager.getState(id, { turns: 'all' }), 'corrupt');
      }
      assert.equal((await turnsOf(manager, 's')).length, 2);
    },
  },
];
