import assert from 'node:assert/strict';
import type { Law } from '../law.ts';
import { addTexts, picture, say, texts, turnsOf } from '../reading.ts';

/** What a store keeps when it is closed and opened again. A store that keeps nothing declares it. */
export const persistenceLaws: readonly Law[] = [
  {
    id: 'persistence/all-there',
    promise: 'A store that is closed and opened again shows everything as it was.',
    async check(bench) {
      const { branches, checkpoints, manager } = await bench.open();
      const { sessionId } = await manager.create({
        userId: 'u',
        tenantId: 't',
        metadata: { m: '日本 👍' },
        variables: { v: 0.1 },
      });
      await addTexts(manager, sessionId, texts(12));
      await manager.addTurn(sessionId, say('patched', { cost: 0.1 }), { variables: { w: [1] } });
      await checkpoints.create(sessionId, { label: 'here' });
      await manager.rewind(sessionId, { toSeq: 5 });
      const branch = await branches.fork(sessionId, 'b', { atSeq: 3 });
      await manager.addTurn(branch.sessionId, say('own'));
      await manager.suspend(branch.sessionId);
      const gone = await manager.create({ userId: 'u', sessionId: 'gone' });
      await manager.delete(gone.sessionId);
      const ids = [sessionId, branch.sessionId, gone.sessionId];
      const seen = async (): Promise<unknown> => {
        const now = await bench.open();
        return {
          pictures: await Promise.all(ids.map((id) => picture(bench.store, id))),
          list: (await now.manager.list()).items,
          checkpoints: (await now.checkpoints.list(sessionId)).items,
          branches: (await now.branches.list(sessionId)).items,
          turns: await Promise.all(ids.slice(0, 2).map((id) => turnsOf(now.manager, id))),
        };
      };
      const before = await seen();
      await bench.reopen();
      assert.deepEqual(await seen(), before);
    },
  },
  {
    id: 'persistence/goes-on',
    promise:
      'After it is opened again a store goes on where it was: seqs, repeats, operations, undo, tombstones.',
    async check(bench) {
      const before = await bench.open();
      const { sessionId } = await before.manager.create({ userId: 'u' });
      await addTexts(before.manager, sessionId, texts(3));
      const turn = say('x', { turnId: 'x' });
      await before.manager.addTurn(sessionId, turn);
      const op = { operationId: 'op' };
      const moved = await before.manager.rewind(sessionId, { toSeq: 2 }, op);
      await bench.reopen();
      const { manager } = await bench.open();
      assert.deepEqual(await manager.rewind(sessionId, { toSeq: 2 }, op), moved);
      const again = await manager.addTurn(sessionId, turn);
      assert.deepEqual([again.duplicate, again.current], [true, false]);
      const { revision, seq } = await manager.addTurn(sessionId, say('on'));
      assert.deepEqual([seq, revision], [3, moved.revision + 1]);
      assert.equal((await manager.undo(sessionId)).turnCount, 4);
    },
  },
];
