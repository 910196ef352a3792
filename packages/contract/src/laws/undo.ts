import assert from 'node:assert/strict';
import type { Law } from '../law.ts';
import { picture, say, sessionOf, textsOf } from '../reading.ts';
import { refused } from '../refusals.ts';

/** Undo and redo: the pointer swings back and forth between timelines. */
export const undoLaws: readonly Law[] = [
  {
    id: 'undo/the-last-move',
    promise:
      'Undo takes back the last move, not the last turn; what was added since goes out of sight with it and returns with redo.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const { head, sessionId } = await sessionOf(sessions, 2);
      await manager.setVariables(sessionId, { v: 'before' });
      await manager.rewind(sessionId, { toSeq: 1 });
      await manager.setVariables(sessionId, { v: 'alone' });
      await manager.addTurn(sessionId, say('new'), { variables: { w: 'with' } });
      const { head: moved } = await manager.setVariables(sessionId, { x: 'after' });
      const undone = await manager.undo(sessionId);
      assert.deepEqual(undone.variables, { v: 'before' });
      assert.deepEqual(undone.head, head);
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 't2']);
      const redone = await manager.redo(sessionId);
      assert.deepEqual(redone.variables, { v: 'alone', w: 'with', x: 'after' });
      assert.deepEqual(redone.head, moved);
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 'new']);
    },
  },
  {
    id: 'undo/nothing',
    promise:
      'With nothing to undo or redo they are a SessionConflictError, and nothing is written.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 2);
      const branch = await branches.fork(sessionId, 'b');
      for (const id of [sessionId, branch.sessionId]) {
        const before = await picture(bench.store, id);
        await refused(manager.undo(id), 'conflict', { reason: 'move' });
        await refused(manager.redo(id), 'conflict', { reason: 'move' });
        assert.deepEqual(await picture(bench.store, id), before);
        await manager.rewind(id, { toSeq: 1 });
        await refused(manager.redo(id), 'conflict', { reason: 'move' });
        await manager.undo(id);
        await refused(manager.undo(id), 'conflict', { reason: 'move' });
        await manager.redo(id);
        await refused(manager.redo(id), 'conflict', { reason: 'move' });
      }
    },
  },
  {
    id: 'undo/new-move-clears-redo',
    promise: 'A new move clears what there was to redo.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 4);
      await manager.rewind(sessionId, { toSeq: 3 });
      await manager.rewind(sessionId, { toSeq: 2 });
      await manager.undo(sessionId);
      await manager.undo(sessionId);
      await manager.rewind(sessionId, { toSeq: 1 });
      await refused(manager.redo(sessionId), 'conflict', { reason: 'move' });
      assert.equal((await manager.undo(sessionId)).turnCount, 4);
      assert.equal((await manager.redo(sessionId)).turnCount, 1);
      await refused(manager.redo(sessionId), 'conflict', { reason: 'move' });
    },
  },
  {
    id: 'undo/turn-keeps-redo',
    promise:
      'A turn that is added does not clear what there is to redo, and is there again after another undo.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 2);
      await manager.rewind(sessionId, { toSeq: 1 });
      await manager.addTurn(sessionId, say('there'));
      await manager.undo(sessionId);
      await manager.addTurn(sessionId, say('here'));
      await manager.setVariables(sessionId, { v: 1 });
      assert.deepEqual((await manager.redo(sessionId)).variables, {});
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 'there']);
      assert.deepEqual((await manager.undo(sessionId)).variables, { v: 1 });
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 't2', 'here']);
    },
  },
  {
    id: 'undo/all-the-way',
    promise:
      'Undo after undo walks back through every move to the first timeline, redo after redo forward again.',
    async check(bench) {
      const sessions = await bench.open();
      const { checkpoints, manager } = sessions;
      const { head, sessionId } = await sessionOf(sessions, 3);
      const { checkpointId } = await checkpoints.create(sessionId);
      const turnId = head.turnId ?? '';
      const heads = [head];
      heads.push((await manager.rewind(sessionId, { toSeq: 1 })).head);
      heads.push((await manager.restore(checkpointId)).head);
      heads.push((await manager.edit(sessionId, turnId, 'new')).head);
      heads.push((await manager.regenerate(sessionId, turnId)).head);
      for (const earlier of heads.toReversed().slice(1)) {
        assert.deepEqual((await manager.undo(sessionId)).head, earlier);
      }
      await refused(manager.undo(sessionId), 'conflict', { reason: 'move' });
      for (const later of heads.slice(1)) {
        assert.deepEqual((await manager.redo(sessionId)).head, later);
      }
      await refused(manager.redo(sessionId), 'conflict', { reason: 'move' });
    },
  },
];
