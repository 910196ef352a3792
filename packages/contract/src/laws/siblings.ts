import assert from 'node:assert/strict';
import type { Law } from '../law.ts';
import { range } from '../many.ts';
import { addTexts, allOf, say, sessionOf } from '../reading.ts';
import { refused } from '../refusals.ts';

/** Siblings: the turns that follow the same physical point. */
export const siblingLaws: readonly Law[] = [
  {
    id: 'siblings/of-moves',
    promise:
      'The siblings of a turn are those that follow the same point on any timeline of the session, itself included, whichever of them is named.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const { sessionId } = await manager.create({ userId: 'u' });
      for (const turnId of ['q', 'a']) await manager.addTurn(sessionId, say(turnId, { turnId }));
      await addTexts(manager, sessionId, ['later']);
      for (const turnId of ['b', 'c']) {
        await manager.rewind(sessionId, { toTurn: 'q' });
        await manager.addTurn(sessionId, say(turnId, { turnId }));
        await addTexts(manager, sessionId, [`after ${turnId}`]);
      }
      // A move that wrote nothing, and one to a place further on, add no sibling.
      await manager.rewind(sessionId, { toTurn: 'c' });
      await manager.rewind(sessionId, { toTurn: 'q' });
      await manager.undo(sessionId);
      for (const named of ['a', 'b', 'c']) {
        const { items } = await manager.siblings(sessionId, named);
        assert.deepEqual(
          items.map(({ turnId, seq }) => [turnId, seq]),
          [
            ['a', 2],
            ['b', 2],
            ['c', 2],
          ],
          named,
        );
      }
      const alone = await manager.siblings(sessionId, 'q');
      assert.deepEqual(
        alone.items.map(({ turnId }) => turnId),
        ['q'],
      );
      await refused(manager.siblings(sessionId, 'unknown'), 'input');
    },
  },
  {
    id: 'siblings/across-branches',
    promise:
      'Siblings are found across branches, from each of them; those of a deleted branch are gone, and no other turn of the same length is taken for one.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 3);
      const ids = [sessionId];
      for (const name of ['x', 'y']) {
        bench.clock.advance(1);
        const branch = await branches.fork(sessionId, name, { atSeq: 2 });
        await manager.addTurn(branch.sessionId, say(name, { turnId: name }));
        ids.push(branch.sessionId);
      }
      const [, x = '', y = ''] = ids;
      bench.clock.advance(1);
      const other = await branches.fork(sessionId, 'other', { atSeq: 1 });
      await addTexts(manager, other.sessionId, ['o2', 'o3']);
      bench.clock.advance(1);
      const grandchild = await branches.fork(x, 'g', { atSeq: 2 });
      await manager.addTurn(grandchild.sessionId, say('g', { turnId: 'g' }));
      const siblings = async (id: string, turnId: string): Promise<readonly unknown[]> =>
        (await manager.siblings(id, turnId)).items.map(({ content }) => content);
      assert.deepEqual(await siblings(x, 'x'), ['t3', 'x', 'y', 'g']);
      assert.deepEqual(await siblings(grandchild.sessionId, 'g'), ['t3', 'x', 'y', 'g']);
      const third = (await manager.getState(sessionId)).head.turnId ?? '';
      assert.deepEqual(await siblings(sessionId, third), ['t3', 'x', 'y', 'g']);
      await manager.delete(y);
      assert.deepEqual(await siblings(x, 'x'), ['t3', 'x', 'g']);
      await manager.delete(sessionId);
      assert.deepEqual(await siblings(x, 'x'), ['x', 'g']);
      bench.clock.advance(1);
      const held = await branches.fork(x, 'held', { atTurn: 'x' });
      await manager.delete(x);
      assert.deepEqual((await siblings(held.sessionId, 'x')).toSorted(), ['g', 'x']);
      assert.deepEqual((await siblings(grandchild.sessionId, 'g')).toSorted(), ['g', 'x']);
    },
  },
  {
    id: 'siblings/first-turns',
    promise: 'First turns follow seq 0, which is common to the family.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 2);
      for (const turnId of ['left', 'again']) {
        await manager.rewind(sessionId, { toSeq: 0 });
        await manager.addTurn(sessionId, say(turnId, { turnId }));
      }
      bench.clock.advance(1);
      const branch = await branches.fork(sessionId, 'b', { atSeq: 0 });
      await manager.addTurn(branch.sessionId, say('branch', { turnId: 'branch' }));
      bench.clock.advance(1);
      const deep = await branches.fork(branch.sessionId, 'deep');
      await manager.rewind(deep.sessionId, { toSeq: 0 });
      await manager.addTurn(deep.sessionId, say('deep', { turnId: 'deep' }));
      for (const [id, turnId] of [
        [sessionId, 'again'],
        [branch.sessionId, 'branch'],
        [deep.sessionId, 'deep'],
      ] as const) {
        const { items } = await manager.siblings(id, turnId);
        assert.deepEqual(
          items.map(({ content }) => content),
          ['t1', 'left', 'again', 'branch', 'deep'],
        );
      }
    },
  },
  {
    id: 'siblings/pages',
    promise: 'Siblings come in pages, each once, also where a turn was regenerated many times.',
    async check(bench) {
      const sessions = await bench.open({ maxTurnsPerSession: 10_000 });
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 1);
      const count = bench.scale(1_200, 130);
      for (const n of range(1, count)) {
        if (n > 1) await manager.rewind(sessionId, { toSeq: 1 });
        await manager.addTurn(sessionId, say(`${n}`, { turnId: `r${n}` }));
      }
      for (const limit of [7, 100, 1_000]) {
        const items = await allOf(
          (page) => manager.siblings(sessionId, 'r1', page),
          Math.min(limit, count),
        );
        assert.deepEqual(
          items.map(({ turnId }) => turnId),
          range(1, count).map((n) => `r${n}`),
        );
      }
      await refused(manager.siblings(sessionId, 'r1', { cursor: 'x' }), 'input');
      const others = await manager.siblings(sessionId, 'r1', { limit: 1 });
      const { sessionId: stranger } = await sessionOf(sessions, 1);
      const foreign = (await manager.getState(stranger)).head.turnId ?? '';
      const cursor = others.nextCursor ?? '';
      await refused(manager.siblings(stranger, foreign, { cursor }), 'input');
    },
  },
  {
    id: 'siblings/deep',
    promise: 'The siblings of a turn are found through a history of many segments.',
    async check(bench) {
      const sessions = await bench.open({ maxTurnsPerSession: 10_000 });
      const { branches, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 1);
      const moves = bench.scale(300, 140);
      for (const n of range(1, moves)) {
        await manager.addTurn(sessionId, say(`old ${n}`, { turnId: `old${n}` }));
        await manager.edit(sessionId, `old${n}`, `new ${n}`);
      }
      bench.clock.advance(1);
      const branch = await branches.fork(sessionId, 'b');
      for (const n of [1, 40, 70, 100, moves]) {
        const seq = n + 1;
        const found = await manager.turns(branch.sessionId, { from: seq, limit: 1 }).next();
        const { turnId } = found.value ?? assert.fail();
        const { items } = await manager.siblings(branch.sessionId, turnId);
        assert.deepEqual(
          items.map(({ content }) => content),
          [`old ${n}`, `new ${n}`],
        );
      }
    },
  },
];
