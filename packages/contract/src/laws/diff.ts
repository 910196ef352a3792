import assert from 'node:assert/strict';
import type { Law } from '../law.ts';
import { range } from '../many.ts';
import { addTexts, say, sessionOf, texts, textsOf } from '../reading.ts';
import { refused } from '../refusals.ts';
import { family } from './merge.ts';

/** What two histories have in common, and what only one of them has. */
export const diffLaws: readonly Law[] = [
  {
    id: 'diff/branches',
    promise:
      'A diff tells the last common point, the turns on either side, and what variables and sums changed, from the first to the second.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { branchId, parentId } = await family(sessions, ['x', 'y']);
      await manager.setVariables(parentId, { p: 1, same: 1 });
      await manager.setVariables(branchId, { b: 1, same: 1 });
      await addTexts(manager, parentId, ['p3']);
      const diff = await branches.diff(parentId, branchId);
      const { items } = await branches.tree(parentId);
      const point = items.find((item) => item.type === 'timeline' && item.sessionId === branchId);
      assert.ok(point?.type === 'timeline');
      assert.deepEqual(diff.common, point.base);
      const said = ({ turns }: { readonly turns: readonly { readonly content: unknown }[] }) =>
        turns.map(({ content }) => content);
      assert.deepEqual([said(diff.onlyA), diff.onlyA.count], [['p3'], 1]);
      assert.deepEqual([said(diff.onlyB), diff.onlyB.count], [['x', 'y'], 2]);
      assert.deepEqual(diff.variables, { set: { b: 1 }, unset: ['p'] });
      assert.deepEqual([diff.tokens, diff.cost], [10, 1]);
      const back = await branches.diff(branchId, parentId);
      assert.deepEqual([back.onlyA, back.onlyB], [diff.onlyB, diff.onlyA]);
      assert.deepEqual([back.tokens, back.common], [-10, diff.common]);
      const none = await branches.diff(branchId, branchId);
      assert.deepEqual([none.onlyA.count, none.onlyB.count, none.variables], [0, 0, {}]);
      const { sessionId: stranger } = await sessionOf(sessions, 2);
      const foreign = await branches.diff(parentId, stranger);
      assert.deepEqual([foreign.common, foreign.onlyA.count, foreign.onlyB.count], [null, 3, 2]);
      await refused(branches.diff(parentId, 'unknown'), 'notFound', { sessionId: 'unknown' });
    },
  },
  {
    id: 'diff/merged',
    promise: 'A turn and its merged copy are the same one to a diff.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { branchId, parentId } = await family(sessions, ['x', 'y']);
      await addTexts(manager, parentId, ['p3']);
      await branches.merge(parentId, branchId);
      await addTexts(manager, branchId, ['z']);
      const diff = await branches.diff(parentId, branchId);
      const said = [diff.onlyA, diff.onlyB].map(({ turns }) => turns.map(({ content }) => content));
      assert.deepEqual(said, [['p3'], ['z']]);
      assert.deepEqual([diff.onlyA.count, diff.onlyB.count, diff.common?.seq], [1, 1, 2]);
      await branches.merge(branchId, parentId);
      await branches.merge(parentId, branchId);
      const same = await branches.diff(parentId, branchId);
      assert.deepEqual([same.onlyA.count, same.onlyB.count], [0, 0]);
      await manager.rewind(parentId, { toTurn: 'x' });
      const less = await branches.diff(parentId, branchId);
      assert.deepEqual([less.onlyA.count, less.onlyB.count], [0, 2]);
    },
  },
  {
    id: 'diff/deep',
    promise: 'A diff finds the common point through histories of many segments.',
    async check(bench) {
      const sessions = await bench.open({ maxTurnsPerSession: 10_000 });
      const { branches, checkpoints, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 1);
      const moves = bench.scale(400, 150);
      const ids: string[] = [];
      for (const n of range(1, moves)) {
        await addTexts(manager, sessionId, [`${n}`, 'left']);
        const { checkpointId } = await checkpoints.create(sessionId);
        ids.push(checkpointId);
        await manager.rewind(sessionId, { toSeq: n + 1 });
        if (ids.length > 20) ids.shift();
      }
      const { sessionId: branchId } = await branches.fork(sessionId, 'b');
      await addTexts(manager, branchId, texts(3, 'b'));
      await addTexts(manager, sessionId, texts(2, 'p'));
      const diff = await branches.diff(sessionId, branchId);
      assert.deepEqual([diff.common?.seq, diff.onlyA.count, diff.onlyB.count], [moves + 1, 2, 3]);
      for (const [i, checkpointId] of ids.entries()) {
        const other = await checkpoints.diff(checkpointId, ids.at(-1) ?? '');
        const apart = ids.length - 1 - i;
        const last = apart === 0 ? 0 : apart + 1;
        const counts = [other.onlyA.count, other.onlyB.count];
        assert.deepEqual(counts, [apart === 0 ? 0 : 1, last], `${apart} moves apart`);
      }
      const { sessionId: early } = await branches.fork(branchId, 'early', { atSeq: 5 });
      await manager.addTurn(early, say('early'));
      const far = await branches.diff(early, branchId);
      assert.deepEqual([far.common?.seq, far.onlyA.count, far.onlyB.count], [5, 1, moves - 1]);
      assert.equal((await textsOf(manager, early)).length, 6);
    },
  },
];
