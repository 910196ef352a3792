import assert from 'node:assert/strict';
import type { Law } from '../law.ts';
import { inOneTick } from '../many.ts';
import { picture, say, sessionOf, textsOf } from '../reading.ts';
import { isFault, refused } from '../refusals.ts';

/** Promise 3: of writers that expect the same head exactly one wins. */
export const expectedLaws: readonly Law[] = [
  {
    id: 'expected/one-winner',
    promise:
      'Of 16 writers with the same expectedHead one wins; the others get the head, and nothing of theirs is written.',
    async check(bench) {
      const sessions = await bench.open({
        autoCheckpointInterval: null,
        maxTurnsPerSession: 2_000,
      });
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 1);
      let { head } = await manager.getState(sessionId);
      const kept: string[] = ['t1'];
      for (let round = bench.scale(500, 20); round > 0; round--) {
        const expectedHead = head;
        const { lost, won } = await inOneTick(16, (i) =>
          manager.addTurn(sessionId, say(`${round}:${i}`), {
            expectedHead,
            variables: { [`w${i}`]: round, winner: i },
          }),
        );
        const [winner] = won;
        assert.equal(won.length, 1);
        assert.ok(winner !== undefined);
        for (const error of lost) isFault(error, 'conflict', { reason: 'head', head: winner.head });
        kept.push(String(winner.turn.content));
        const state = await manager.getState(sessionId);
        ({ head } = state);
        assert.deepEqual(head, winner.head);
        const i = Number(String(winner.turn.content).split(':')[1]);
        assert.equal(state.variables['winner'], i);
        const written = Object.entries(state.variables).filter(([, value]) => value === round);
        assert.ok(written.every(([key]) => key === `w${i}` || key === 'winner'));
      }
      assert.deepEqual(await textsOf(manager, sessionId), kept);
    },
  },
  {
    id: 'expected/nothing-written',
    promise:
      'A turn that lost writes neither itself nor its patch, and is told the head with which the next try wins.',
    async check(bench) {
      const sessions = await bench.open({ autoCheckpointInterval: 2 });
      const { manager } = sessions;
      const { head, sessionId } = await sessionOf(sessions, 1);
      await manager.addTurn(sessionId, say('faster'));
      await manager.addTurn(sessionId, say('and again'));
      const before = await picture(bench.store, sessionId);
      const options = { expectedHead: head, variables: { lost: true } };
      const { head: now, revision } = await manager.getState(sessionId);
      const tells = { reason: 'head', head: now, revision };
      await refused(manager.addTurn(sessionId, say('late'), options), 'conflict', tells);
      const batch = [say('late'), say('too late')];
      await refused(manager.addTurns(sessionId, batch, options), 'conflict', tells);
      assert.deepEqual(await picture(bench.store, sessionId), before);
      const { seq } = await manager.addTurn(sessionId, say('late'), { expectedHead: now });
      assert.equal(seq, 4);
    },
  },
  {
    id: 'expected/head-is-a-place',
    promise: 'After a move an expectedHead of the same seq loses: a head is a place, not a length.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const { head, sessionId } = await sessionOf(sessions, 2);
      await manager.rewind(sessionId, { toSeq: 1 });
      await manager.addTurn(sessionId, say('other'));
      const call = manager.addTurn(sessionId, say('late'), { expectedHead: head });
      await refused(call, 'conflict', { reason: 'head' });
      const forged = { ...(await manager.getState(sessionId)).head, turnId: 'not this one' };
      const guess = manager.addTurn(sessionId, say('guess'), { expectedHead: forged });
      await refused(guess, 'conflict', { reason: 'head' });
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 'other']);
    },
  },
  {
    id: 'expected/seq',
    promise: 'expectedSeq compares the length only; of writers with the same one exactly one wins.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 2);
      await manager.rewind(sessionId, { toSeq: 1 });
      await manager.addTurn(sessionId, say('other'));
      const { lost, won } = await inOneTick(16, (i) =>
        manager.addTurn(sessionId, say(`w${i}`), { expectedSeq: 2 }),
      );
      assert.equal(won.length, 1);
      for (const error of lost) isFault(error, 'conflict', { reason: 'head' });
      assert.equal((await textsOf(manager, sessionId)).length, 3);
    },
  },
  {
    id: 'expected/revision',
    promise: 'Of patches of variables or metadata with the same expectedRevision exactly one wins.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 1);
      for (const set of ['setVariables', 'setMetadata'] as const) {
        const { revision } = await manager.getState(sessionId);
        const { lost, won } = await inOneTick(8, (i) =>
          manager[set](sessionId, { [`w${i}`]: i }, { expectedRevision: revision }),
        );
        assert.equal(won.length, 1, set);
        assert.equal(won[0]?.revision, revision + 1);
        for (const error of lost) isFault(error, 'conflict', { reason: 'revision' });
        const state = await manager.getState(sessionId);
        const kept = set === 'setVariables' ? state.variables : state.metadata;
        assert.equal(Object.keys(kept).length, 1, set);
        assert.equal(state.revision, revision + 1);
      }
    },
  },
];
