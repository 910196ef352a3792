import assert from 'node:assert/strict';
import type { Law } from '../law.ts';
import { addTexts, picture, say, sessionOf, textsOf } from '../reading.ts';
import { refused } from '../refusals.ts';
import { nothingLeft } from '../remains.ts';

/** Select: the move to a sibling, of one's own or of a branch. */
export const selectLaws: readonly Law[] = [
  {
    id: 'select/own',
    promise:
      "Selecting a turn of one's own moves to the newest head that contains it, with what was added there and the variables; undo comes back.",
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const { sessionId } = await manager.create({ userId: 'u' });
      for (const turnId of ['q', 'a']) await manager.addTurn(sessionId, say(turnId, { turnId }));
      await manager.addTurn(sessionId, say('after a'), { variables: { v: 'a' } });
      await manager.rewind(sessionId, { toTurn: 'q' });
      await manager.addTurn(sessionId, say('b', { turnId: 'b' }));
      const before = await manager.setVariables(sessionId, { v: 'b' });
      const selected = await manager.select(sessionId, 'a');
      assert.deepEqual(await textsOf(manager, sessionId), ['q', 'a', 'after a']);
      assert.deepEqual(selected.variables, { v: 'a' });
      assert.equal(selected.revision, before.revision + 1);
      assert.notEqual(selected.head.timelineId, before.head.timelineId);
      await addTexts(manager, sessionId, ['more']);
      await manager.select(sessionId, 'b');
      assert.deepEqual(await textsOf(manager, sessionId), ['q', 'b']);
      // The newest head with it is now the one that was added to.
      await manager.select(sessionId, 'a');
      assert.deepEqual(await textsOf(manager, sessionId), ['q', 'a', 'after a', 'more']);
      await manager.undo(sessionId);
      const back = await manager.undo(sessionId);
      assert.deepEqual(await textsOf(manager, sessionId), ['q', 'a', 'after a', 'more']);
      assert.deepEqual(back.variables, { v: 'a' });
      await manager.undo(sessionId);
      const first = await manager.getState(sessionId);
      assert.deepEqual([first.head, first.variables], [before.head, before.variables]);
      const moves = await bench.store.records(sessionId, 'move', { limit: 100 });
      assert.ok(moves.some(({ value }) => value.startsWith('{"move":"select"')));
    },
  },
  {
    id: 'select/stays',
    promise: 'Selecting a turn of the newest head, where the session stands, is no move.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const { sessionId } = await manager.create({ userId: 'u' });
      await manager.addTurn(sessionId, say('q', { turnId: 'q' }));
      await manager.rewind(sessionId, { toSeq: 0 });
      await manager.undo(sessionId);
      await manager.redo(sessionId);
      await manager.addTurn(sessionId, say('r', { turnId: 'r' }));
      const before = await picture(bench.store, sessionId);
      const state = await manager.getState(sessionId);
      assert.deepEqual(await manager.select(sessionId, 'r'), state);
      assert.deepEqual(await manager.select(sessionId, 'r', { operationId: 'op' }), state);
      assert.deepEqual(await picture(bench.store, sessionId), before);
      await manager.select(sessionId, 'q');
      assert.deepEqual(await manager.select(sessionId, 'r', { operationId: 'op' }), state);
      await refused(manager.select(sessionId, 'q', { operationId: 'op' }), 'conflict', {
        reason: 'operation',
      });
      await refused(manager.select(sessionId, 'unknown'), 'input');
    },
  },
  {
    id: 'select/of-a-branch',
    promise:
      "Selecting a branch's turn moves to a new timeline that ends there, with the variables right after it, and changes nothing of the branch.",
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 2);
      bench.clock.advance(1);
      const branch = await branches.fork(sessionId, 'b', { atSeq: 1 });
      await manager.addTurn(branch.sessionId, say('x', { turnId: 'x' }), { variables: { v: 1 } });
      await manager.setVariables(branch.sessionId, { v: 'alone' });
      await manager.addTurn(branch.sessionId, say('y', { turnId: 'y' }), { variables: { v: 2 } });
      const theirs = await picture(bench.store, branch.sessionId);
      const selected = await manager.select(sessionId, 'x');
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 'x']);
      assert.deepEqual(selected.variables, { v: 1 });
      assert.equal(selected.lifetimeTokens, 0);
      await addTexts(manager, sessionId, ['on']);
      assert.deepEqual(await textsOf(manager, branch.sessionId), ['t1', 'x', 'y']);
      assert.deepEqual(await picture(bench.store, branch.sessionId), theirs);
      const { items } = await manager.siblings(sessionId, 'x');
      assert.deepEqual(
        items.map(({ content }) => content),
        ['t2', 'x'],
      );
      await manager.undo(sessionId);
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 't2']);
      await manager.redo(sessionId);
      await manager.rewind(sessionId, { toTurn: 'x' });
      assert.deepEqual((await manager.getState(sessionId)).variables, { v: 1 });
      // And the other way: a turn of the parent, and of a sister.
      bench.clock.advance(1);
      const sister = await branches.fork(sessionId, 's', { atSeq: 0 });
      await manager.select(sister.sessionId, 'y');
      assert.deepEqual(await textsOf(manager, sister.sessionId), ['t1', 'x', 'y']);
      const second = (await manager.siblings(sessionId, 'x')).items[0]?.turnId ?? '';
      await manager.select(sister.sessionId, second);
      assert.deepEqual(await textsOf(manager, sister.sessionId), ['t1', 't2']);
    },
  },
  {
    id: 'select/holds',
    promise:
      'What a session selected of a branch stays for it and for its own branches when that branch is deleted, and is erased when nobody reads it any more.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 3);
      bench.clock.advance(1);
      const branch = await branches.fork(sessionId, 'b', { atSeq: 2 });
      for (const turnId of ['x', 'y', 'z']) {
        await manager.addTurn(branch.sessionId, say(turnId, { turnId }), {
          variables: { v: turnId },
        });
      }
      await manager.rewind(branch.sessionId, { toTurn: 'x' });
      await manager.addTurn(branch.sessionId, say('w', { turnId: 'w' }));
      await manager.select(sessionId, 'y');
      await addTexts(manager, sessionId, ['on y']);
      await manager.select(sessionId, 'w');
      bench.clock.advance(1);
      const child = await branches.fork(sessionId, 'child');
      await addTexts(manager, child.sessionId, ['own']);
      await manager.delete(branch.sessionId);
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 't2', 'x', 'w']);
      await manager.undo(sessionId);
      const undone = await manager.rewind(sessionId, { toSeq: 4 });
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 't2', 'x', 'y']);
      assert.deepEqual(undone.variables, { v: 'y' });
      assert.deepEqual(await textsOf(manager, child.sessionId), ['t1', 't2', 'x', 'w', 'own']);
      await refused(manager.select(sessionId, 'z'), 'input');
      await manager.delete(sessionId);
      assert.deepEqual(await textsOf(manager, child.sessionId), ['t1', 't2', 'x', 'w', 'own']);
      const gone = { timelineId: `${branch.sessionId}.1`, from: 1, to: 9 };
      const left = await bench.store.turns([gone], { limit: 9, order: 'asc' });
      assert.deepEqual(
        left.map(({ turnId }) => turnId),
        ['x'],
      );
      await manager.delete(child.sessionId);
      for (const id of [sessionId, branch.sessionId, child.sessionId]) {
        await nothingLeft(bench.store, id);
      }
    },
  },
  {
    id: 'select/through-a-branch',
    promise:
      'A turn that a branch inherited from a deleted session can be selected, and is held through that branch.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 1);
      bench.clock.advance(1);
      const middle = await branches.fork(sessionId, 'm');
      await manager.addTurn(middle.sessionId, say('m', { turnId: 'm' }));
      bench.clock.advance(1);
      const leaf = await branches.fork(middle.sessionId, 'l');
      await addTexts(manager, leaf.sessionId, ['l']);
      await manager.delete(middle.sessionId);
      await manager.select(sessionId, 'm');
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 'm']);
      await manager.delete(leaf.sessionId);
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 'm']);
      await manager.delete(sessionId);
      for (const id of [sessionId, middle.sessionId, leaf.sessionId]) {
        await nothingLeft(bench.store, id);
      }
    },
  },
];
