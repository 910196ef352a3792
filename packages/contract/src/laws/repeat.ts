import assert from 'node:assert/strict';
import type { Law } from '../law.ts';
import { inOneTick } from '../many.ts';
import { picture, say, sessionOf, textsOf } from '../reading.ts';
import { refused } from '../refusals.ts';

const a = say('alpha', { turnId: 'a' });
const b = say('beta', { turnId: 'b' });

/** Promise 2: the same turn again is answered as before, another one under its id is a conflict. */
export const repeatLaws: readonly Law[] = [
  {
    id: 'repeat/same-content',
    promise:
      'The same turn again is answered with turn and seq as stored, the rest as now, and nothing is written.',
    async check(bench) {
      const { manager } = await bench.open();
      const { sessionId } = await manager.create({ userId: 'u' });
      const first = await manager.addTurn(sessionId, a);
      const before = await picture(bench.store, sessionId);
      const again = await manager.addTurn(sessionId, a);
      assert.deepEqual(again, { ...first, duplicate: true });
      assert.deepEqual(await picture(bench.store, sessionId), before);
      const { head, revision } = await manager.addTurn(sessionId, b);
      const late = await manager.addTurn(sessionId, a);
      assert.deepEqual(late, { ...again, head, revision, turnCount: 2 });
    },
  },
  {
    id: 'repeat/other-content',
    promise: 'The same turnId with other content is a conflict, and nothing is written.',
    async check(bench) {
      const { manager } = await bench.open();
      const { sessionId } = await manager.create({ userId: 'u' });
      await manager.addTurn(sessionId, a);
      const before = await picture(bench.store, sessionId);
      const others = [
        { ...a, content: 'other' },
        { ...a, role: 'assistant' as const },
        { ...a, agent: 'someone' },
        { ...a, usage: { inputTokens: 1 } },
      ];
      for (const other of others) {
        await refused(manager.addTurn(sessionId, other), 'conflict', { reason: 'turn' });
      }
      assert.deepEqual(await picture(bench.store, sessionId), before);
    },
  },
  {
    id: 'repeat/left-behind',
    promise:
      'A duplicate of a turn that a move left behind says current: false and is not added again, until an undo brings it back.',
    async check(bench) {
      const { manager } = await bench.open();
      const { sessionId } = await manager.create({ userId: 'u' });
      await manager.addTurn(sessionId, a);
      const left = await manager.addTurn(sessionId, b);
      await manager.rewind(sessionId, { toTurn: 'a' });
      const again = await manager.addTurn(sessionId, b);
      assert.deepEqual(again.turn, left.turn);
      assert.equal(again.duplicate, true);
      assert.equal(again.current, false);
      assert.equal(again.turnCount, 1);
      assert.deepEqual(await textsOf(manager, sessionId), ['alpha']);
      await manager.undo(sessionId);
      assert.equal((await manager.addTurn(sessionId, b)).current, true);
      assert.deepEqual(await textsOf(manager, sessionId), ['alpha', 'beta']);
    },
  },
  {
    id: 'repeat/what-counts',
    promise:
      'Neither the timestamp nor the order of keys makes another content; without an id each turn is its own.',
    async check(bench) {
      const { manager } = await bench.open();
      const { sessionId } = await manager.create({ userId: 'u' });
      await manager.addTurn(sessionId, {
        turnId: 'x',
        role: 'assistant',
        content: [{ type: 'data', name: 'd', json: { p: 1, q: { r: 2, s: [3] } } }],
        toolCalls: [{ id: 'c', name: 'n', arguments: { p: 1, q: 2 } }],
        usage: { inputTokens: 1, outputTokens: 2 },
        metadata: { k: 1, l: 2 },
        timestamp: '2026-01-01T00:00:00Z',
      });
      bench.clock.advance(1_000);
      const again = await manager.addTurn(sessionId, {
        metadata: { l: 2, k: 1 },
        usage: { outputTokens: 2, inputTokens: 1 },
        toolCalls: [{ arguments: { q: 2, p: 1 }, name: 'n', id: 'c' }],
        content: [{ json: { q: { s: [3], r: 2 }, p: 1 }, name: 'd', type: 'data' }],
        role: 'assistant',
        turnId: 'x',
      });
      assert.equal(again.duplicate, true);
      assert.equal(again.turn.timestamp, '2026-01-01T00:00:00.000Z');
      assert.equal(again.turnCount, 1);
      for (const seq of [2, 3]) {
        const { duplicate, turn } = await manager.addTurn(sessionId, say('yes'));
        assert.deepEqual([duplicate, turn.seq], [false, seq]);
      }
    },
  },
  {
    id: 'repeat/patch-not-again',
    promise: "A duplicate's patch of the variables is not applied again.",
    async check(bench) {
      const { manager } = await bench.open();
      const { sessionId } = await manager.create({ userId: 'u', variables: { gone: true } });
      const options = { variables: { n: 1 }, unset: ['gone'] };
      await manager.addTurn(sessionId, a, options);
      await manager.setVariables(sessionId, { n: 2, gone: 'back' });
      assert.equal((await manager.addTurn(sessionId, a, options)).duplicate, true);
      const { variables } = await manager.getState(sessionId);
      assert.deepEqual(variables, { gone: 'back', n: 2 });
    },
  },
  {
    id: 'repeat/batch-as-a-whole',
    promise: 'A batch is a duplicate only as a whole; one of which a part is there is a conflict.',
    async check(bench) {
      const { manager } = await bench.open();
      const { sessionId } = await manager.create({ userId: 'u' });
      const first = await manager.addTurns(sessionId, [a, b]);
      const before = await picture(bench.store, sessionId);
      const again = await manager.addTurns(sessionId, [a, b]);
      assert.equal(again.duplicate, true);
      assert.deepEqual(again.turns, first.turns);
      assert.equal(again.seq, 2);
      const c = say('gamma', { turnId: 'c' });
      for (const part of [
        [a, c],
        [c, b],
        [a, say('no id')],
      ]) {
        await refused(manager.addTurns(sessionId, part), 'conflict', { reason: 'turn' });
      }
      assert.deepEqual(await picture(bench.store, sessionId), before);
    },
  },
  {
    id: 'repeat/all-timelines',
    promise: 'Ids are unique among the turns that a session wrote itself, on all its timelines.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 1);
      await manager.addTurn(sessionId, a);
      await manager.rewind(sessionId, { toSeq: 1 });
      await manager.addTurn(sessionId, b);
      const other = manager.addTurn(sessionId, say('other', { turnId: 'a' }));
      await refused(other, 'conflict', { reason: 'turn' });
      const batch = manager.addTurns(sessionId, [say('x'), say('other', { turnId: 'a' })]);
      await refused(batch, 'conflict', { reason: 'turn' });
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 'beta']);
    },
  },
  {
    id: 'repeat/of-each-session',
    promise: 'What another session wrote, be it the parent of a branch, does not take an id.',
    async check(bench) {
      const { branches, manager } = await bench.open();
      const { sessionId } = await manager.create({ userId: 'u' });
      await manager.addTurn(sessionId, a);
      const branch = await branches.fork(sessionId, 'other');
      const reused = say('the branch says', { turnId: 'a' });
      assert.equal((await manager.addTurn(branch.sessionId, reused)).duplicate, false);
      assert.equal((await manager.addTurn(branch.sessionId, reused)).duplicate, true);
      assert.deepEqual(await textsOf(manager, branch.sessionId), ['alpha', 'the branch says']);
      const stranger = await manager.create({ userId: 'u' });
      assert.equal((await manager.addTurn(stranger.sessionId, a)).duplicate, false);
    },
  },
  {
    id: 'repeat/before-the-rest',
    promise:
      'A duplicate is answered as one before it is judged as ended, unexpected or past a cap.',
    async check(bench) {
      const { manager } = await bench.open({ maxTurnsPerSession: 2 });
      const { sessionId } = await manager.create({ userId: 'u' });
      const first = await manager.addTurn(sessionId, a);
      await manager.addTurn(sessionId, b);
      const full = await manager.addTurn(sessionId, a, { expectedHead: first.head });
      assert.equal(full.duplicate, true);
      assert.equal(full.status, 'closed');
      const batch = await manager.addTurns(sessionId, [a, b], { expectedSeq: 77 });
      assert.equal(batch.duplicate, true);
      const other = manager.addTurn(sessionId, say('other', { turnId: 'a' }));
      await refused(other, 'conflict', { reason: 'turn' });
    },
  },
  {
    id: 'repeat/same-tick',
    promise:
      'Of the same turn written by many in the same tick one is added, the others are duplicates.',
    async check(bench) {
      const { manager } = await bench.open();
      for (let round = bench.scale(100, 5); round > 0; round--) {
        const { sessionId } = await manager.create({ userId: 'u' });
        const turn = say(`r${round}`, { turnId: 'same' });
        const { won } = await inOneTick(8, () => manager.addTurn(sessionId, turn));
        assert.equal(won.length, 8);
        assert.equal(won.filter(({ duplicate }) => !duplicate).length, 1);
        assert.deepEqual(await textsOf(manager, sessionId), [`r${round}`]);
        await manager.delete(sessionId);
      }
    },
  },
];
