import assert from 'node:assert/strict';
import type { Law } from '../law.ts';
import { inOneTick, range } from '../many.ts';
import { picture, say, sessionOf, texts, textsOf } from '../reading.ts';
import { isFault, refused } from '../refusals.ts';

/** Promise 4, for the turns of a session: caps hold under concurrency. */
export const turnCapLaws: readonly Law[] = [
  {
    id: 'caps/turn-limit',
    promise:
      'The turn that fills the cap is kept and closes the session with reason turn_limit; later ones are past the cap, not too late.',
    async check(bench) {
      const sessions = await bench.open({ maxTurnsPerSession: 3 });
      const { manager } = sessions;
      const { sessionId, status } = await sessionOf(sessions, 2);
      assert.equal(status, 'active');
      const last = await manager.addTurn(sessionId, say('last'));
      assert.equal(last.seq, 3);
      assert.equal(last.status, 'closed');
      const state = await manager.getState(sessionId);
      assert.equal(state.status, 'closed');
      assert.equal(state.closedReason, 'turn_limit');
      assert.equal(state.revision, last.revision);
      const before = await picture(bench.store, sessionId);
      await refused(manager.addTurn(sessionId, say('late')), 'capacity', { max: 3 });
      await refused(manager.addTurns(sessionId, [say('a'), say('b')]), 'capacity', { max: 3 });
      assert.deepEqual(await picture(bench.store, sessionId), before);
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 't2', 'last']);
    },
  },
  {
    id: 'caps/first-turn',
    promise: 'A system prompt that fills the cap closes the session that it opens.',
    async check(bench) {
      const { manager } = await bench.open({ maxTurnsPerSession: 1 });
      const full = await manager.create({ userId: 'u', systemPrompt: 'all there is room for' });
      assert.deepEqual([full.status, full.closedReason], ['closed', 'turn_limit']);
      await refused(manager.addTurn(full.sessionId, say('late')), 'capacity', { max: 1 });
      const open = await manager.create({ userId: 'u' });
      assert.equal(open.status, 'active');
    },
  },
  {
    id: 'caps/refuse',
    promise:
      "With onTurnLimit 'refuse' a full session stays open, and room that a move makes can be used.",
    async check(bench) {
      const sessions = await bench.open({ maxTurnsPerSession: 3, onTurnLimit: 'refuse' });
      const { manager } = sessions;
      const { sessionId, status } = await sessionOf(sessions, 3);
      assert.equal(status, 'active');
      await refused(manager.addTurn(sessionId, say('late')), 'capacity', { max: 3 });
      await manager.rewind(sessionId, { toSeq: 2 });
      await manager.addTurn(sessionId, say('instead'));
      await refused(manager.addTurn(sessionId, say('late')), 'capacity', { max: 3 });
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 't2', 'instead']);
    },
  },
  {
    id: 'caps/turns-same-tick',
    promise:
      'Of writers in the same tick as many get in as the cap leaves room for, the others a capacity error.',
    async check(bench) {
      for (let round = bench.scale(100, 6); round > 0; round--) {
        const onTurnLimit = round % 2 === 0 ? 'close' : 'refuse';
        const sessions = await bench.open({ maxTurnsPerSession: 7, onTurnLimit });
        const { manager } = sessions;
        const { sessionId } = await sessionOf(sessions, 2);
        const { lost, won } = await inOneTick(16, (i) => manager.addTurn(sessionId, say(`w${i}`)));
        assert.equal(won.length, 5);
        for (const error of lost) isFault(error, 'capacity');
        assert.equal((await textsOf(manager, sessionId)).length, 7);
        const { status } = await manager.getState(sessionId);
        assert.equal(status, onTurnLimit === 'close' ? 'closed' : 'active');
        await manager.delete(sessionId);
      }
    },
  },
  {
    id: 'caps/batch-past',
    promise:
      'A batch that would pass the cap is refused whole and closes nothing; one that fits to the last turn closes.',
    async check(bench) {
      const sessions = await bench.open({ maxTurnsPerSession: 4 });
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 2);
      const before = await picture(bench.store, sessionId);
      const three = texts(3, 'x').map((text) => say(text));
      await refused(manager.addTurns(sessionId, three), 'capacity', { max: 4 });
      assert.deepEqual(await picture(bench.store, sessionId), before);
      const { status } = await manager.addTurns(sessionId, three.slice(0, 2));
      assert.equal(status, 'closed');
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 't2', 'x1', 'x2']);
    },
  },
  {
    id: 'caps/current-history',
    promise:
      'The cap counts the current history: what a move left behind makes room, what a branch inherits takes it.',
    async check(bench) {
      const sessions = await bench.open({ maxTurnsPerSession: 4 });
      const { branches, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 3);
      await manager.rewind(sessionId, { toSeq: 1 });
      const branch = await branches.fork(sessionId, 'b');
      for (const id of [sessionId, branch.sessionId]) {
        await manager.addTurn(id, say('2'));
        await manager.addTurn(id, say('3'));
        assert.equal((await manager.addTurn(id, say('4'))).status, 'closed');
        await refused(manager.addTurn(id, say('5')), 'capacity');
      }
    },
  },
  {
    id: 'caps/written',
    promise: 'A second cap, ten times the first, bounds what is written on all timelines.',
    async check(bench) {
      const sessions = await bench.open({ maxTurnsPerSession: 2, onTurnLimit: 'refuse' });
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions);
      for (const n of range(1, 10)) {
        await manager.addTurns(sessionId, [say(`a${n}`), say(`b${n}`)]);
        await manager.rewind(sessionId, { toSeq: 0 });
      }
      await refused(manager.addTurn(sessionId, say('21st')), 'capacity', { max: 20 });
      const { turnId } = (await manager.undo(sessionId)).head;
      await refused(manager.edit(sessionId, String(turnId), 'edited'), 'capacity', { max: 20 });
      assert.deepEqual(await textsOf(manager, sessionId), ['a10', 'b10']);
    },
  },
  {
    id: 'caps/fork-when-full',
    promise: 'A fork at or past the cap is refused; below it, it is not.',
    async check(bench) {
      const sessions = await bench.open({ maxTurnsPerSession: 3 });
      const { branches } = sessions;
      const { sessionId } = await sessionOf(sessions, 3);
      await refused(branches.fork(sessionId, 'at'), 'capacity', { max: 3 });
      await refused(branches.fork(sessionId, 'at', { atSeq: 3 }), 'capacity', { max: 3 });
      const smaller = await bench.open({ maxTurnsPerSession: 2 });
      await refused(smaller.branches.fork(sessionId, 'past', { atSeq: 3 }), 'capacity', { max: 2 });
      assert.equal((await branches.fork(sessionId, 'below', { atSeq: 2 })).turnCount, 2);
      assert.equal((await branches.list(sessionId)).items.length, 1);
    },
  },
];
