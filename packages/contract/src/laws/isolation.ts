import assert from 'node:assert/strict';
import type { Law } from '../law.ts';
import { inOneTick } from '../many.ts';
import { addTexts, picture, say, sessionOf, texts, textsOf, turnsOf } from '../reading.ts';

/** Promise 5: no move or fork shows a turn of a sibling, or changes another session. */
export const isolationLaws: readonly Law[] = [
  {
    id: 'isolation/fork-changes-nothing',
    promise: 'A fork changes nothing of its parent: no revision, no time, no entry of the feed.',
    async check(bench) {
      const sessions = await bench.open({ sessionTtl: 600 });
      const { branches } = sessions;
      const { sessionId } = await sessionOf(sessions, 3);
      const before = await picture(bench.store, sessionId);
      bench.clock.advance(5_000);
      await branches.fork(sessionId, 'a');
      await branches.fork(sessionId, 'b', { atSeq: 1 });
      assert.deepEqual(await picture(bench.store, sessionId), before);
    },
  },
  {
    id: 'isolation/branch-life',
    promise: 'What a branch lives through, to its end, changes nothing of its parent.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, checkpoints, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 3);
      const before = await picture(bench.store, sessionId);
      const { sessionId: id } = await branches.fork(sessionId, 'b');
      await addTexts(manager, id, texts(3, 'b'));
      await manager.setVariables(id, { v: 1 });
      await manager.setMetadata(id, { m: 1 });
      await checkpoints.create(id, { label: 'here' });
      await manager.rewind(id, { toSeq: 1 });
      await manager.undo(id);
      await manager.suspend(id);
      await manager.close(id);
      assert.deepEqual(await picture(bench.store, sessionId), before);
      await manager.delete(id);
      assert.deepEqual(await picture(bench.store, sessionId), before);
    },
  },
  {
    id: 'isolation/parent-life',
    promise: 'What a parent lives through changes nothing of its branches.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 3);
      await manager.setVariables(sessionId, { v: 1 });
      const { sessionId: id } = await branches.fork(sessionId, 'b', { atSeq: 2 });
      const before = [await picture(bench.store, id), await textsOf(manager, id)];
      await addTexts(manager, sessionId, texts(3, 'late'));
      await manager.setVariables(sessionId, { v: 2, w: 3 });
      await manager.setMetadata(sessionId, { m: 1 });
      await manager.rewind(sessionId, { toSeq: 1 });
      await addTexts(manager, sessionId, texts(3, 'other'));
      await manager.undo(sessionId);
      await manager.close(sessionId);
      assert.deepEqual([await picture(bench.store, id), await textsOf(manager, id)], before);
    },
  },
  {
    id: 'isolation/siblings',
    promise: 'Branches of one point show what they share and nothing of one another.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 2);
      const ids = [sessionId];
      for (const name of ['a', 'b', 'c']) {
        ids.push((await branches.fork(sessionId, name, { atSeq: 2 })).sessionId);
      }
      await inOneTick(ids.length, (i) => addTexts(manager, ids[i] as string, texts(4, `${i}:`)));
      for (const [i, id] of ids.entries()) {
        assert.deepEqual(await textsOf(manager, id), ['t1', 't2', ...texts(4, `${i}:`)]);
      }
    },
  },
  {
    id: 'isolation/left-turns',
    promise: 'A move shows nothing of what it left, also where seqs are the same.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 5);
      await manager.rewind(sessionId, { toSeq: 3 });
      assert.deepEqual(await textsOf(manager, sessionId), texts(3));
      await manager.addTurn(sessionId, say('new'));
      assert.deepEqual(await textsOf(manager, sessionId), [...texts(3), 'new']);
      const { turns } = await manager.getState(sessionId, { turns: 'all' });
      assert.deepEqual(turns, await turnsOf(manager, sessionId));
      const backwards = await turnsOf(manager, sessionId, { order: 'desc' });
      assert.deepEqual(backwards.toReversed(), turns);
    },
  },
  {
    id: 'isolation/written-for-good',
    promise:
      'No move changes a turn that was written: whoever still stands on it reads it as it was.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { head, sessionId } = await sessionOf(sessions, 4);
      const branch = await branches.fork(sessionId, 'b');
      const before = await turnsOf(manager, sessionId);
      await manager.edit(sessionId, before[1]?.turnId ?? '', 'edited');
      await manager.regenerate(sessionId, head.turnId ?? '');
      await manager.rewind(sessionId, { toSeq: 0 });
      assert.deepEqual(await turnsOf(manager, branch.sessionId), before);
      const rows = await bench.store.turns([{ timelineId: head.timelineId, from: 1, to: 4 }], {
        limit: 4,
        order: 'asc',
      });
      assert.deepEqual(
        rows.map(({ turnId }) => turnId),
        before.map(({ turnId }) => turnId),
      );
    },
  },
  {
    id: 'isolation/fork-while-written',
    promise: 'A fork made while others write has exactly the history up to one point.',
    async check(bench) {
      const sessions = await bench.open({ maxBranchesPerSession: 1_000 });
      const { branches, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 1);
      const rounds = bench.scale(60, 8);
      const writers = inOneTick(8, (w) => addTexts(manager, sessionId, texts(rounds, `${w}:`)));
      const forks: { id: string; seq: number }[] = [];
      const forking = inOneTick(8, async () => {
        for (let i = 0; i < rounds; i++) {
          const { forkSeq, sessionId: id } = await branches.fork(sessionId, 'f');
          forks.push({ id, seq: Number(forkSeq) });
        }
      });
      const ends = [await writers, await forking];
      for (const { lost } of ends) assert.deepEqual(lost, []);
      const all = await textsOf(manager, sessionId);
      assert.equal(all.length, 1 + 8 * rounds);
      for (const { id, seq } of forks) {
        assert.deepEqual(await textsOf(manager, id), all.slice(0, seq));
      }
    },
  },
];
