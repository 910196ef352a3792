import assert from 'node:assert/strict';
import type { Law } from '../law.ts';
import { range } from '../many.ts';
import { addTexts, say, sessionOf, texts, textsOf, turnsOf } from '../reading.ts';
import { refused } from '../refusals.ts';

/** The word "branch": a session whose first timeline starts at a point of another session's. */
export const forkLaws: readonly Law[] = [
  {
    id: 'fork/state',
    promise:
      "A branch has its parent's owner, knows its name and where it starts, and shows the turns up to there as they are.",
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const owner = { tenantId: 't', userId: 'u' };
      const { sessionId } = await sessions.as(owner).manager.create({});
      await addTexts(manager, sessionId, texts(4));
      const parent = await manager.getState(sessionId);
      const branch = await branches.fork(parent.sessionId, 'friendlier', { atSeq: 3 });
      assert.deepEqual(
        [branch.parentSessionId, branch.branchName, branch.forkSeq, branch.turnCount],
        [parent.sessionId, 'friendlier', 3, 3],
      );
      assert.deepEqual([branch.status, branch.revision], ['active', 1]);
      assert.deepEqual({ tenantId: branch.tenantId, userId: branch.userId }, owner);
      await sessions.as(owner).manager.getState(branch.sessionId);
      assert.deepEqual(
        [parent.parentSessionId, parent.branchName, parent.forkSeq],
        [null, null, null],
      );
      assert.deepEqual(await manager.getState(branch.sessionId), branch);
      const inherited = await turnsOf(manager, branch.sessionId);
      assert.deepEqual(inherited, (await turnsOf(manager, parent.sessionId)).slice(0, 3));
      assert.equal(branch.head.turnId, inherited[2]?.turnId);
      assert.equal((await manager.addTurn(branch.sessionId, say('own'))).seq, 4);
    },
  },
  {
    id: 'fork/places',
    promise:
      'A fork starts at the checkpoint, turn or seq that is named; without a place at the head, with its current variables.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, checkpoints, manager } = sessions;
      const { sessionId } = await manager.create({ userId: 'u', variables: { n: 0 } });
      await manager.addTurn(sessionId, say('1', { turnId: '1' }), { variables: { n: 1 } });
      await manager.addTurn(sessionId, say('2', { turnId: '2' }), { variables: { n: 2 } });
      await manager.setVariables(sessionId, { alone: 'here' });
      const { checkpointId } = await checkpoints.create(sessionId);
      await manager.addTurn(sessionId, say('3'), { variables: { n: 3 } });
      await manager.setVariables(sessionId, { alone: 'now' });
      const cases = [
        [{}, 3, { n: 3, alone: 'now' }],
        [{ atSeq: 3 }, 3, { n: 3, alone: 'here' }],
        [{ fromCheckpoint: checkpointId }, 2, { n: 2, alone: 'here' }],
        [{ atTurn: '2' }, 2, { n: 2 }],
        [{ atSeq: 1 }, 1, { n: 1 }],
        [{ atSeq: 0 }, 0, { n: 0 }],
      ] as const;
      for (const [place, count, variables] of cases) {
        const branch = await branches.fork(sessionId, 'b', place);
        assert.deepEqual(branch.variables, variables, JSON.stringify(place));
        assert.equal(branch.forkSeq, count);
        assert.equal((await textsOf(manager, branch.sessionId)).length, count);
      }
      const both = branches.fork(sessionId, 'b', { atSeq: 1, atTurn: '1' });
      await refused(both, 'input');
      const { sessionId: other } = await sessionOf(sessions, 3);
      const foreign = branches.fork(other, 'b', { fromCheckpoint: checkpointId });
      await refused(foreign, 'noCheckpoint');
    },
  },
  {
    id: 'fork/list',
    promise:
      "A list of branches has a session's living direct ones, oldest first; names may repeat.",
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 2);
      const made: string[] = [];
      for (const name of ['same', 'same', 'other']) {
        const branch = await branches.fork(sessionId, name);
        made.push(branch.sessionId);
        await branches.fork(branch.sessionId, 'not direct');
        bench.clock.advance(1);
      }
      const listed = async (): Promise<readonly string[]> =>
        (await branches.list(sessionId)).items.map((item) => item.sessionId);
      assert.deepEqual(await listed(), made);
      const { items } = await branches.list(sessionId);
      assert.deepEqual(
        items.map(({ branchName }) => branchName),
        ['same', 'same', 'other'],
      );
      await manager.close(made[0] ?? '');
      assert.deepEqual(await listed(), made);
      await manager.delete(made[1] ?? '');
      assert.deepEqual(await listed(), [made[0], made[2]]);
    },
  },
  {
    id: 'fork/of-forks',
    promise: 'A branch of a branch of a branch shows the whole history that it came through.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      let { sessionId } = await sessionOf(sessions, 2);
      const expected: unknown[] = ['t1', 't2'];
      for (const depth of range(1, 12)) {
        const branch = await branches.fork(sessionId, `d${depth}`);
        assert.equal(branch.parentSessionId, sessionId);
        ({ sessionId } = branch);
        if (depth % 3 === 0) continue;
        await manager.addTurn(sessionId, say(`d${depth}`));
        expected.push(`d${depth}`);
      }
      assert.deepEqual(await textsOf(manager, sessionId), expected);
      for (const toSeq of [7, 2, 1]) {
        await manager.rewind(sessionId, { toSeq });
        assert.deepEqual(await textsOf(manager, sessionId), expected.slice(0, toSeq));
      }
    },
  },
  {
    id: 'fork/moves-into-the-parent',
    promise:
      "A branch may move into what it inherited and back; its parent's later turns are never there.",
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { head, sessionId: parentId } = await sessionOf(sessions, 4);
      await manager.setVariables(parentId, { v: 'parent' });
      const { sessionId } = await branches.fork(parentId, 'b');
      await addTexts(manager, parentId, texts(2, 'parent'));
      await manager.edit(sessionId, head.turnId ?? '', 'edited');
      await manager.addTurn(sessionId, say('on'), { variables: { v: 'branch' } });
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 't2', 't3', 'edited', 'on']);
      await manager.rewind(sessionId, { toSeq: 2 });
      assert.deepEqual((await manager.undo(sessionId)).variables, { v: 'branch' });
      assert.deepEqual((await manager.undo(sessionId)).variables, { v: 'parent' });
      assert.deepEqual(await textsOf(manager, sessionId), texts(4));
      await manager.addTurn(sessionId, say('again'), { variables: { v: 'again' } });
      await manager.rewind(sessionId, { toSeq: 1 });
      assert.deepEqual((await manager.undo(sessionId)).variables, { v: 'again' });
      await refused(manager.undo(sessionId), 'conflict', { reason: 'move' });
      await refused(manager.rewind(sessionId, { toSeq: 6 }), 'input');
    },
  },
];
