import assert from 'node:assert/strict';
import type { Law } from '../law.ts';
import { range } from '../many.ts';
import { addTexts, say, sessionOf, textsOf } from '../reading.ts';
import { leftTurns, lived, nothingLeft } from '../remains.ts';

/** Promise 7 for families: a delete keeps what living branches read. */
export const keptLaws: readonly Law[] = [
  {
    id: 'delete/keeps-what-branches-read',
    promise: 'A turn that a living branch reaches stays; each other turn goes.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const sessionId = await lived(sessions);
      const early = await branches.fork(sessionId, 'early', { atSeq: 1 });
      const late = await branches.fork(sessionId, 'late', { atSeq: 3 });
      await manager.delete(sessionId);
      assert.deepEqual(await textsOf(manager, early.sessionId), ['t1']);
      assert.deepEqual(await textsOf(manager, late.sessionId), ['t1', 't2', 'x']);
      assert.deepEqual((await leftTurns(bench.store, sessionId)).toSorted(), ['t1', 't2', 'x']);
      await manager.addTurn(late.sessionId, say('on'));
      await manager.rewind(late.sessionId, { toSeq: 1 });
      assert.deepEqual(await textsOf(manager, late.sessionId), ['t1']);
    },
  },
  {
    id: 'delete/last-release',
    promise: 'The last branch that read a deleted session erases what was kept of it.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const sessionId = await lived(sessions);
      const one = await branches.fork(sessionId, 'one', { atSeq: 1 });
      const two = await branches.fork(sessionId, 'two', { atSeq: 3 });
      await manager.delete(sessionId);
      await manager.delete(two.sessionId);
      assert.deepEqual(await leftTurns(bench.store, sessionId), ['t1']);
      await manager.delete(one.sessionId);
      for (const id of [sessionId, one.sessionId, two.sessionId]) {
        await nothingLeft(bench.store, id);
      }
    },
  },
  {
    id: 'delete/grand-children',
    promise:
      'A branch of a branch reads on when its parent, and its parent, are deleted, in whichever order.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      for (const order of [
        [0, 1],
        [1, 0],
      ]) {
        const { sessionId } = await sessionOf(sessions, 3);
        const child = await branches.fork(sessionId, 'child', { atSeq: 2 });
        await addTexts(manager, child.sessionId, ['c1', 'c2']);
        const grandChild = await branches.fork(child.sessionId, 'grand-child', { atSeq: 3 });
        await manager.addTurn(grandChild.sessionId, say('g'));
        const ids = [sessionId, child.sessionId];
        for (const i of order) {
          await manager.delete(ids[i] as string);
          const shown = await textsOf(manager, grandChild.sessionId);
          assert.deepEqual(shown, ['t1', 't2', 'c1', 'g']);
        }
        assert.deepEqual(await leftTurns(bench.store, sessionId), ['t1', 't2']);
        assert.deepEqual(await leftTurns(bench.store, child.sessionId), ['c1']);
        await manager.delete(grandChild.sessionId);
        for (const id of [...ids, grandChild.sessionId]) await nothingLeft(bench.store, id);
      }
    },
  },
  {
    id: 'delete/many-moves',
    promise:
      'A branch of a branch reads a history of many segments on when those that it came through are deleted.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      for (const moves of [62, 63, 64, 65]) {
        const { sessionId } = await sessionOf(sessions, 1);
        for (const n of range(1, moves)) {
          await manager.rewind(sessionId, { toSeq: n });
          await manager.addTurn(sessionId, say(`m${n}`));
        }
        const child = await branches.fork(sessionId, 'child');
        const grandChild = await branches.fork(child.sessionId, 'grand-child');
        const all = await textsOf(manager, sessionId);
        await manager.delete(child.sessionId);
        assert.deepEqual(await textsOf(manager, grandChild.sessionId), all);
        await manager.delete(sessionId);
        assert.deepEqual(await textsOf(manager, grandChild.sessionId), all);
      }
    },
  },
  {
    id: 'delete/variables-of-branches',
    promise:
      'The variables at every point that a branch can go back to outlive the sessions that set them.',
    async check(bench) {
      const { branches, manager } = await bench.open();
      const { sessionId } = await manager.create({ userId: 'u', variables: { n: 0 } });
      for (const n of range(1, 5)) {
        await manager.addTurn(sessionId, say(`t${n}`), n % 2 === 0 ? {} : { variables: { n } });
        await manager.setVariables(sessionId, { alone: n });
        if (n === 3) await manager.rewind(sessionId, { toSeq: 3 });
      }
      const branch = await branches.fork(sessionId, 'b');
      const { checkpointId } = await manager.checkpoint(branch.sessionId);
      const seen = async (): Promise<readonly unknown[]> => {
        const all: unknown[] = [(await manager.restore(checkpointId)).variables];
        for (const toSeq of range(0, 5)) {
          all.push((await manager.rewind(branch.sessionId, { toSeq })).variables);
          await manager.undo(branch.sessionId);
        }
        return all;
      };
      const before = await seen();
      assert.deepEqual(before[0], { n: 5, alone: 5 });
      assert.deepEqual(before[1], { n: 0 });
      await manager.delete(sessionId);
      assert.deepEqual(await seen(), before);
    },
  },
  {
    id: 'delete/variables-nobody-reads',
    promise:
      'Of the variables those versions stay that the furthest branch reads, and no later one.',
    async check(bench) {
      const { branches, manager } = await bench.open();
      for (const [one = 0, two = 0] of [
        [2, 3],
        [3, 2],
      ]) {
        const { sessionId } = await manager.create({ userId: 'u' });
        for (const n of range(1, 6)) {
          await manager.addTurn(sessionId, say(`t${n}`), { variables: { n } });
        }
        const ids = [
          (await branches.fork(sessionId, 'one', { atSeq: one })).sessionId,
          (await branches.fork(sessionId, 'two', { atSeq: two })).sessionId,
        ];
        await manager.delete(sessionId);
        for (const [i, toSeq] of [one, two].entries()) {
          const { variables } = await manager.rewind(ids[i] ?? '', { toSeq });
          assert.deepEqual(variables, { n: toSeq });
        }
        const end = { timelineId: `${sessionId}.1`, position: 99, revision: 99 };
        assert.equal((await bench.store.variables(end))?.json, '{"n":3}');
      }
    },
  },
  {
    id: 'delete/variables-of-seq-zero',
    promise: 'Seq 0 is common to the family: its variables outlive the session that set them.',
    async check(bench) {
      const { branches, manager } = await bench.open();
      const { sessionId } = await manager.create({ userId: 'u', variables: { n: 0 } });
      await manager.addTurn(sessionId, say('t1'));
      const branch = await branches.fork(sessionId, 'from nothing', { atSeq: 0 });
      assert.deepEqual(branch.variables, { n: 0 });
      await manager.addTurn(branch.sessionId, say('own'), { variables: { n: 1 } });
      await manager.delete(sessionId);
      const { variables } = await manager.rewind(branch.sessionId, { toSeq: 0 });
      assert.deepEqual(variables, { n: 0 });
    },
  },
  {
    id: 'delete/with-branches',
    promise: 'With withBranches the branches go too, and theirs; without, they stay.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const family = async (): Promise<readonly string[]> => {
        const { sessionId } = await sessionOf(sessions, 2);
        const child = await branches.fork(sessionId, 'child');
        const grandChild = await branches.fork(child.sessionId, 'grand-child');
        return [sessionId, child.sessionId, grandChild.sessionId];
      };
      const [root = '', ...kin] = await family();
      await manager.delete(root);
      for (const id of kin) assert.deepEqual(await textsOf(manager, id), ['t1', 't2']);
      const other = await family();
      await manager.delete(other[0] as string, { withBranches: true });
      for (const id of other) await nothingLeft(bench.store, id);
      assert.equal((await manager.list()).items.length, 2);
    },
  },
];
