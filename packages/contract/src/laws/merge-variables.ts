import assert from 'node:assert/strict';
import type { Law } from '../law.ts';
import { picture, say } from '../reading.ts';
import { refused } from '../refusals.ts';
import { family } from './merge.ts';

/** How a merge treats variables: key by key, from where both sides were the same. */
export const mergeVariableLaws: readonly Law[] = [
  {
    id: 'merge-variables/key-by-key',
    promise:
      'Variables are merged key by key: what only the branch changed is taken, what only the parent changed stays, the same change on both sides is none to decide.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { sessionId } = await manager.create({
        userId: 'u',
        variables: { both: 0, ours: 0, theirs: 0, gone: 0, still: { a: [1] }, left: 0 },
      });
      await manager.addTurn(sessionId, say('t'));
      const { sessionId: branchId } = await branches.fork(sessionId, 'b');
      await manager.setVariables(
        branchId,
        { both: 1, theirs: 1, new: 'b', still: { a: [1] } },
        { unset: ['gone'] },
      );
      await manager.setVariables(sessionId, { both: 1, ours: 1 }, { unset: ['left'] });
      const { conflicts, merged, state } = await branches.merge(sessionId, branchId);
      assert.deepEqual([conflicts, merged], [[], 0]);
      assert.deepEqual(state.variables, {
        both: 1,
        ours: 1,
        theirs: 1,
        still: { a: [1] },
        new: 'b',
      });
      assert.equal(state.turnCount, 1);
      await manager.undo(sessionId);
      const undone = await manager.getState(sessionId);
      assert.equal(undone.variables['theirs'], 0);
    },
  },
  {
    id: 'merge-variables/conflicts',
    promise:
      'Where both sides changed a key the branch wins, or as onConflict says; each such key is told with its values, and an error changes nothing.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const ready = async () => {
        const { sessionId } = await manager.create({ userId: 'u', variables: { k: 0, d: 0 } });
        const branch = await branches.fork(sessionId, 'b');
        await manager.addTurn(branch.sessionId, say('x'), { variables: { k: 'branch' } });
        await manager.setVariables(branch.sessionId, { n: [1] }, { unset: ['d'] });
        await manager.setVariables(sessionId, { k: 'parent', d: 1, n: [2], own: 1 });
        return { parentId: sessionId, branchId: branch.sessionId };
      };
      const told = { k: { base: 0, parent: 'parent', branch: 'branch' } };
      const cases = [
        [undefined, { k: 'branch', n: [1] }, { k: 'branch', n: [1] }],
        ['branch', { k: 'branch', n: [1] }, { k: 'branch', n: [1] }],
        ['parent', { k: 'parent', n: [2], d: 1 }, { k: 'parent', n: [2], d: 1 }],
      ] as const;
      for (const [onConflict, kept, merged] of cases) {
        const { branchId, parentId } = await ready();
        const done = await branches.merge(parentId, branchId, { onConflict });
        assert.deepEqual(done.state.variables, { ...kept, own: 1 }, String(onConflict));
        const of = (key: 'k' | 'n' | 'd') =>
          key in merged ? { merged: Reflect.get(merged, key) } : {};
        assert.deepEqual(done.conflicts, [
          { key: 'k', ...told.k, ...of('k') },
          { key: 'n', parent: [2], branch: [1], ...of('n') },
          { key: 'd', base: 0, parent: 1, ...of('d') },
        ]);
        assert.equal(done.merged, 1);
      }
      const { branchId, parentId } = await ready();
      const before = await picture(bench.store, parentId);
      await refused(branches.merge(parentId, branchId, { onConflict: 'error' }), 'conflict', {
        reason: 'variables',
      });
      assert.deepEqual(await picture(bench.store, parentId), before);
      const asked: unknown[] = [];
      const done = await branches.merge(parentId, branchId, {
        onConflict: async (conflict) => {
          asked.push(conflict);
          return conflict.key === 'k'
            ? { both: [conflict.parent ?? null, conflict.branch ?? null] }
            : undefined;
        },
      });
      assert.deepEqual(asked[0], { key: 'k', ...told.k });
      assert.deepEqual(done.state.variables, { k: { both: ['parent', 'branch'] }, own: 1 });
      await refused(branches.merge(parentId, branchId, { onConflict: 'both' as never }), 'input');
    },
  },
  {
    id: 'merge-variables/counted-from-the-last-merge',
    promise:
      'A merge counts changes from what the last one took in, so that what the parent decided since is no conflict, and what the branch did since is taken.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { branchId, parentId } = await family(sessions, ['x']);
      await manager.setVariables(branchId, { v: 'first', w: 'first' });
      await branches.merge(parentId, branchId);
      await manager.setVariables(parentId, { v: "parent's" });
      await manager.addTurn(branchId, say('y', { turnId: 'y' }), { variables: { w: 'second' } });
      const second = await branches.merge(parentId, branchId);
      assert.deepEqual(second.conflicts, []);
      assert.deepEqual(second.state.variables, { v: "parent's", w: 'second' });
      await manager.setVariables(branchId, { v: 'third' });
      const third = await branches.merge(parentId, branchId);
      assert.deepEqual(third.conflicts, [
        { key: 'v', base: 'first', parent: "parent's", branch: 'third', merged: 'third' },
      ]);
      // It brought variables alone, and is minded all the same: also by what comes after it.
      await manager.addTurn(branchId, say('z', { turnId: 'z' }), { variables: { v: 'fourth' } });
      await manager.checkpoint(parentId, { label: 'here' });
      const { items } = await sessions.checkpoints.list(parentId);
      await manager.restore(items.at(-1)?.checkpointId ?? '');
      const fourth = await branches.merge(parentId, branchId);
      assert.deepEqual(fourth.conflicts, []);
      assert.deepEqual(fourth.state.variables, { v: 'fourth', w: 'second' });
      await manager.undo(parentId);
      await manager.undo(parentId);
      const fifth = await branches.merge(parentId, branchId);
      assert.deepEqual(fifth.conflicts, []);
    },
  },
  {
    id: 'merge-variables/counted-from-the-fork',
    promise:
      'Without a merge changes are counted from what the branch began with, patches that stood alone among it.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { sessionId } = await manager.create({ userId: 'u', variables: { v: 0 } });
      await manager.addTurn(sessionId, say('t'), { variables: { v: 1 } });
      await manager.setVariables(sessionId, { v: 'alone' });
      const { sessionId: branchId } = await branches.fork(sessionId, 'b');
      await manager.setVariables(sessionId, { p: 1 });
      await manager.setVariables(branchId, { v: 'branch' });
      const { sessionId: leafId } = await branches.fork(branchId, 'leaf');
      await manager.setVariables(leafId, { l: 1 });
      const { conflicts, state } = await branches.merge(sessionId, branchId);
      assert.deepEqual(conflicts, []);
      assert.deepEqual(state.variables, { v: 'branch', p: 1 });
      const home = await branches.merge(branchId, sessionId);
      assert.deepEqual([home.conflicts, home.state.variables], [[], { v: 'branch', p: 1 }]);
      const leaf = await branches.merge(branchId, leafId);
      assert.deepEqual([leaf.conflicts, leaf.state.variables], [[], { v: 'branch', p: 1, l: 1 }]);
      const early = await branches.fork(sessionId, 'early', { atSeq: 0 });
      assert.deepEqual(early.variables, { v: 0 });
      const late = await branches.merge(sessionId, early.sessionId);
      assert.deepEqual([late.conflicts, late.merged], [[], 0]);
    },
  },
];
