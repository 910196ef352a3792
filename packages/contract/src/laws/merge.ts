import assert from 'node:assert/strict';
import type { Sessions } from '@lexigram/ai-session';
import type { Law } from '../law.ts';
import {
  addTexts,
  picture,
  say,
  sessionOf,
  texts,
  textsOf,
  turnsOf,
  visiblePicture,
} from '../reading.ts';
import { refused } from '../refusals.ts';
import { nothingLeft } from '../remains.ts';

/** A session with turns `t1` … and a branch at its head with the turns that are named, which are their ids too. */
export async function family(
  { branches, manager, ...sessions }: Sessions,
  names: readonly string[],
  count = 2,
): Promise<{ readonly parentId: string; readonly branchId: string }> {
  const { sessionId: parentId } = await sessionOf({ branches, manager, ...sessions }, count);
  const { sessionId: branchId } = await branches.fork(parentId, 'b');
  for (const turnId of names) {
    const usage = { inputTokens: 3, outputTokens: 2 };
    await manager.addTurn(branchId, say(turnId, { turnId, usage, cost: 0.5 }));
  }
  return { parentId, branchId };
}

/** The word "merge": a branch comes home. */
export const mergeLaws: readonly Law[] = [
  {
    id: 'merge/append',
    promise:
      "A merge brings what the branch has and the parent has not behind the parent's turns, as copies that keep id, content and time and tell their origin; the branch stays as it is.",
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { branchId, parentId } = await family(sessions, ['x', 'y']);
      bench.clock.advance(1_000);
      await addTexts(manager, parentId, ['p3']);
      const before = await manager.getState(parentId);
      const theirs = await picture(bench.store, branchId);
      const { conflicts, merged, state } = await branches.merge(parentId, branchId);
      assert.deepEqual([merged, conflicts], [2, []]);
      assert.deepEqual(await textsOf(manager, parentId), ['t1', 't2', 'p3', 'x', 'y']);
      assert.deepEqual(await manager.getState(parentId), state);
      assert.equal(state.revision, before.revision + 1);
      assert.deepEqual(
        [state.totalTokens, state.totalCost, state.lifetimeTokens, state.lifetimeCost],
        [10, 1, before.lifetimeTokens, before.lifetimeCost],
      );
      const originals = await turnsOf(manager, branchId, { from: 3 });
      const copies = await turnsOf(manager, parentId, { from: 4 });
      for (const [i, copy] of copies.entries()) {
        const { origin, seq: _, ...said } = copy;
        const { seq, ...original } = originals[i] ?? assert.fail();
        assert.deepEqual(said, original);
        assert.deepEqual(origin, { timelineId: `${branchId}.1`, seq });
      }
      assert.deepEqual(await picture(bench.store, branchId), theirs);
      const moves = await bench.store.records(parentId, 'move', { limit: 9 });
      assert.ok(moves.at(-1)?.value.startsWith('{"move":"merge"'));
      assert.equal((await manager.addTurn(parentId, say('on'))).seq, 6);
    },
  },
  {
    id: 'merge/nothing',
    promise: 'A merge that brings nothing is no move and no revision; so the second one is empty.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { branchId, parentId } = await family(sessions, ['x']);
      await manager.setVariables(branchId, { v: 1 });
      await branches.merge(parentId, branchId);
      const before = await picture(bench.store, parentId);
      const state = await manager.getState(parentId);
      bench.clock.advance(10);
      const again = await branches.merge(parentId, branchId);
      assert.deepEqual(again, { state, merged: 0, conflicts: [] });
      assert.deepEqual(
        (await branches.merge(parentId, branchId, { operationId: 'op' })).state,
        state,
      );
      assert.deepEqual(await picture(bench.store, parentId), before);
      const { sessionId: empty } = await branches.fork(parentId, 'empty');
      assert.equal((await branches.merge(parentId, empty)).merged, 0);
      assert.equal((await manager.getState(parentId)).revision, state.revision);
    },
  },
  {
    id: 'merge/undo',
    promise:
      'Undo brings back the state before a merge exactly, redo the one after it; merged again after an undo it brings the same again.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { branchId, parentId } = await family(sessions, ['x', 'y']);
      await manager.setVariables(branchId, { v: 'branch' });
      await manager.setVariables(parentId, { p: 1 });
      const whole = async () => {
        const {
          revision: _,
          updatedAt: __,
          expiresAt: ___,
          ...state
        } = await manager.getState(parentId, { turns: 'all' });
        return state;
      };
      const before = await whole();
      await branches.merge(parentId, branchId);
      const after = await whole();
      await manager.undo(parentId);
      assert.deepEqual(await whole(), before);
      await manager.redo(parentId);
      assert.deepEqual(await whole(), after);
      await manager.undo(parentId);
      const { merged, state } = await branches.merge(parentId, branchId);
      assert.equal(merged, 2);
      assert.deepEqual(state.variables, { p: 1, v: 'branch' });
      assert.deepEqual(await textsOf(manager, parentId), ['t1', 't2', 'x', 'y']);
      await refused(manager.redo(parentId), 'conflict', { reason: 'move' });
    },
  },
  {
    id: 'merge/rewind',
    promise:
      'After a rewind into what a merge brought, the next merge brings the rest, and the variables anew.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { branchId, parentId } = await family(sessions, ['x', 'y', 'z']);
      await manager.setVariables(branchId, { v: 'branch' });
      await branches.merge(parentId, branchId);
      await manager.rewind(parentId, { toTurn: 'x' });
      assert.deepEqual((await manager.getState(parentId)).variables, {});
      await addTexts(manager, parentId, ['between']);
      const { conflicts, merged, state } = await branches.merge(parentId, branchId);
      assert.deepEqual([merged, conflicts, state.variables], [2, [], { v: 'branch' }]);
      const shown = ['t1', 't2', 'x', 'between', 'y', 'z'];
      assert.deepEqual(await textsOf(manager, parentId), shown);
      assert.equal((await branches.merge(parentId, branchId)).merged, 0);
      await manager.rewind(parentId, { toSeq: 1 });
      // Now the two part before the fork: the branch's second turn is its own history.
      assert.equal((await branches.merge(parentId, branchId)).merged, 4);
      assert.deepEqual(await textsOf(manager, parentId), ['t1', 't2', 'x', 'y', 'z']);
    },
  },
  {
    id: 'merge/branch-goes-back',
    promise:
      'A branch that was restored to before its last merge, and went on otherwise, brings what is new and nothing twice.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, checkpoints, manager } = sessions;
      const { branchId, parentId } = await family(sessions, ['x']);
      const { checkpointId } = await checkpoints.create(branchId);
      await manager.addTurn(branchId, say('y', { turnId: 'y' }), { variables: { v: 'y' } });
      await branches.merge(parentId, branchId);
      await manager.restore(checkpointId);
      assert.equal((await branches.merge(parentId, branchId)).merged, 0);
      await manager.addTurn(branchId, say('z', { turnId: 'z' }), { variables: { w: 'z' } });
      const { merged } = await branches.merge(parentId, branchId);
      assert.equal(merged, 1);
      assert.deepEqual(await textsOf(manager, parentId), ['t1', 't2', 'x', 'y', 'z']);
    },
  },
  {
    id: 'merge/round-about',
    promise:
      'Between any two of a family each turn comes once, and a copy of a copy tells where the turn was first written.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { branchId, parentId } = await family(sessions, ['x']);
      const { sessionId: leafId } = await branches.fork(branchId, 'leaf');
      await manager.addTurn(leafId, say('l', { turnId: 'l' }));
      const { sessionId: sisterId } = await branches.fork(parentId, 'sister', { atSeq: 1 });
      await manager.addTurn(sisterId, say('s', { turnId: 's' }));
      await addTexts(manager, parentId, ['p']);
      await branches.merge(branchId, leafId);
      await branches.merge(sisterId, branchId);
      await branches.merge(branchId, parentId);
      await branches.merge(parentId, sisterId);
      assert.deepEqual(await textsOf(manager, sisterId), ['t1', 's', 't2', 'x', 'l']);
      assert.deepEqual(await textsOf(manager, branchId), ['t1', 't2', 'x', 'l', 'p']);
      assert.deepEqual(await textsOf(manager, parentId), ['t1', 't2', 'p', 's', 'x', 'l']);
      for (const [into, from] of [
        [parentId, branchId],
        [parentId, leafId],
        [branchId, leafId],
        [sisterId, leafId],
      ] as const) {
        assert.equal((await branches.merge(into, from)).merged, 0);
      }
      const turns = await turnsOf(manager, parentId);
      const copy = turns.find(({ turnId }) => turnId === 'l');
      assert.deepEqual(copy?.origin, { timelineId: `${leafId}.1`, seq: 4 });
      assert.equal((await branches.merge(leafId, parentId)).merged, 2);
      assert.deepEqual(await textsOf(manager, leafId), ['t1', 't2', 'x', 'l', 'p', 's']);
    },
  },
  {
    id: 'merge/copies-are-no-repeats',
    promise:
      'A copy does not take its id: a turn that is added under it is new, and the newest of an id in the history is meant.',
    async check(bench) {
      const sessions = await bench.open({ maxTurnsPerSession: 10 });
      const { branches, manager } = sessions;
      const { branchId, parentId } = await family(sessions, ['x', 'y']);
      await branches.merge(parentId, branchId);
      const own = await manager.addTurn(parentId, say('own', { turnId: 'x' }));
      assert.deepEqual([own.duplicate, own.seq], [false, 5]);
      const again = await manager.addTurn(parentId, say('own', { turnId: 'x' }));
      assert.deepEqual([again.duplicate, again.seq, again.current], [true, 5, true]);
      assert.equal((await manager.rewind(parentId, { toTurn: 'x' })).turnCount, 5);
      assert.equal((await manager.rewind(parentId, { toTurn: 'y' })).turnCount, 4);
      const { sessionId: later } = await branches.fork(parentId, 'later', { atTurn: 'x' });
      assert.deepEqual(await textsOf(manager, later), ['t1', 't2', 'x']);
    },
  },
  {
    id: 'merge/needs-no-branch',
    promise: "Merged copies are the parent's own: they stay when the branch is deleted.",
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { branchId, parentId } = await family(sessions, ['x', 'y']);
      await manager.setVariables(branchId, { v: 1 });
      await branches.merge(parentId, branchId);
      await manager.delete(branchId);
      await nothingLeft(bench.store, branchId);
      assert.deepEqual(await textsOf(manager, parentId), ['t1', 't2', 'x', 'y']);
      assert.deepEqual((await manager.getState(parentId)).variables, { v: 1 });
      await refused(branches.merge(parentId, branchId), 'notFound');
      const { sessionId: child } = await branches.fork(parentId, 'c', { atTurn: 'x' });
      await manager.delete(parentId);
      assert.deepEqual(await textsOf(manager, child), ['t1', 't2', 'x']);
      await refused(branches.merge(parentId, child), 'notFound');
      await manager.delete(child);
      await nothingLeft(bench.store, parentId);
    },
  },
  {
    id: 'merge/statuses',
    promise:
      'A branch may be merged in whatever status it is; a parent must be active, of the same family and owner, and another session.',
    async check(bench) {
      const sessions = await bench.open({ sessionTtl: 60 });
      const { branches, manager } = sessions;
      const ends = [
        (id: string) => manager.suspend(id),
        (id: string) => manager.close(id),
        async () => bench.clock.advance(59_000),
      ];
      for (const [i, end] of ends.entries()) {
        const { branchId, parentId } = await family(sessions, [`x${i}`]);
        bench.clock.advance(2_000);
        await addTexts(manager, parentId, ['p']);
        await end(branchId);
        assert.equal((await branches.merge(parentId, branchId)).merged, 1);
        const faults = ['transition', 'closed', 'expired'] as const;
        await refused(branches.merge(branchId, parentId), faults[i] ?? 'input');
      }
      const { branchId, parentId } = await family(sessions, ['x']);
      const stranger = await sessionOf(sessions, 1);
      await refused(branches.merge(parentId, parentId), 'input', { path: 'branchId' });
      await refused(branches.merge(parentId, stranger.sessionId), 'input', { path: 'branchId' });
      await refused(branches.merge(parentId, 'unknown'), 'notFound', { sessionId: 'unknown' });
      await refused(branches.merge('unknown', branchId), 'notFound', { sessionId: 'unknown' });
      const foreign = sessions.as({ userId: 'v' }).branches;
      await refused(foreign.merge(parentId, branchId), 'notFound', { sessionId: parentId });
    },
  },
  {
    id: 'merge/cap',
    promise:
      'A merge past the cap of turns is refused and leaves nothing; one that fills it closes the parent.',
    async check(bench) {
      for (const onTurnLimit of ['close', 'refuse'] as const) {
        const sessions = await bench.open({ maxTurnsPerSession: 250, onTurnLimit });
        const { branches, manager } = sessions;
        const { branchId, parentId } = await family(sessions, []);
        for (let n = 0; n < 230; n += 46) {
          await manager.addTurns(
            branchId,
            texts(46, `${n}:`).map((text) => say(text)),
          );
        }
        await manager.addTurns(
          parentId,
          texts(19, 'p').map((text) => say(text)),
        );
        const before = await visiblePicture(bench.store, parentId);
        await refused(branches.merge(parentId, branchId), 'capacity', {
          limit: 'maxTurnsPerSession',
          max: 250,
        });
        assert.deepEqual(await visiblePicture(bench.store, parentId), before);
        assert.deepEqual(await bench.store.records(parentId, 'staged', { limit: 9 }), []);
        await manager.rewind(parentId, { toSeq: 20 });
        const { merged, state } = await branches.merge(parentId, branchId);
        assert.deepEqual([merged, state.turnCount], [230, 250]);
        const closed = onTurnLimit === 'close';
        assert.deepEqual(
          [state.status, state.closedReason],
          closed ? ['closed', 'turn_limit'] : ['active', null],
        );
      }
    },
  },
];
