import assert from 'node:assert/strict';
import type { Law } from '../law.ts';
import { inOneTick, range } from '../many.ts';
import { addTexts, feedOf, picture, say, sessionOf, texts, textsOf, turnsOf } from '../reading.ts';
import { refused } from '../refusals.ts';

/** Promise 1: an acknowledged turn is there, with the next seq. */
export const appendLaws: readonly Law[] = [
  {
    id: 'append/next-seq',
    promise:
      'Each turn gets the next seq, from 1, and is there for every reader as soon as it is acknowledged.',
    async check(bench) {
      const { manager } = await bench.open();
      const other = (await bench.open()).manager;
      const { sessionId } = await manager.create({ userId: 'u' });
      for (const n of range(1, 5)) {
        const { head, seq, turn } = await manager.addTurn(sessionId, say(`t${n}`));
        assert.deepEqual([seq, turn.seq], [n, n]);
        const state = await other.getState(sessionId, { turns: 1 });
        assert.deepEqual([state.head, state.turns], [head, [turn]]);
      }
      assert.deepEqual(await textsOf(manager, sessionId), texts(5));
    },
  },
  {
    id: 'append/same-tick',
    promise:
      'Turns of writers in the same tick get seqs without gap or duplicate, and all are there.',
    async check(bench) {
      const { manager } = await bench.open();
      for (let round = bench.scale(50, 3); round > 0; round--) {
        const { sessionId } = await manager.create({ userId: 'u' });
        const { won } = await inOneTick(32, (i) => manager.addTurn(sessionId, say(`w${i}`)));
        const seqs = won.map(({ seq }) => seq).sort((a, b) => a - b);
        assert.deepEqual(seqs, range(1, 32));
        const turns = await turnsOf(manager, sessionId);
        for (const { turn } of won) assert.deepEqual(turns[turn.seq - 1], turn);
        await manager.delete(sessionId);
      }
    },
  },
  {
    id: 'append/prefixes',
    promise:
      'Whoever reads while others write sees the history from its first turn on, each writer in its order.',
    async check(bench) {
      const { manager } = await bench.open();
      const { sessionId } = await manager.create({ userId: 'u' });
      const seen: (readonly unknown[])[] = [];
      const writers = inOneTick(4, (w) => addTexts(manager, sessionId, texts(20, `${w}:`)));
      const reader = inOneTick(1, async () => {
        for (let i = 0; i < 20; i++) seen.push(await textsOf(manager, sessionId));
      });
      await Promise.all([writers, reader]);
      const all = await textsOf(manager, sessionId);
      assert.equal(all.length, 80);
      for (const [i, read] of seen.entries()) {
        assert.deepEqual(read, all.slice(0, read.length));
        assert.ok(read.length >= (seen[i - 1]?.length ?? 0));
      }
      for (const w of range(0, 3)) {
        const own = all.filter((text) => String(text).startsWith(`${w}:`));
        assert.deepEqual(own, texts(20, `${w}:`));
      }
    },
  },
  {
    id: 'append/batch-in-one-piece',
    promise: 'The turns of a batch stand one after another, whoever else writes.',
    async check(bench) {
      const { manager } = await bench.open();
      const { sessionId } = await manager.create({ userId: 'u' });
      await inOneTick(12, (w) =>
        manager.addTurns(
          sessionId,
          texts(5, `${w}:`).map((text) => say(text)),
        ),
      );
      const all = await textsOf(manager, sessionId);
      assert.equal(all.length, 60);
      for (let at = 0; at < 60; at += 5) {
        const writer = String(all[at]).split(':')[0];
        assert.deepEqual(all.slice(at, at + 5), texts(5, `${writer}:`));
      }
    },
  },
  {
    id: 'append/batch-all-or-nothing',
    promise: 'Of a batch with one turn that is refused nothing is written.',
    async check(bench) {
      const { manager } = await bench.open();
      const { sessionId } = await manager.create({ userId: 'u' });
      await manager.addTurn(sessionId, say('taken', { turnId: 'b' }));
      const before = await picture(bench.store, sessionId);
      const batch = ['a', 'b', 'c'].map((turnId) => say(turnId, { turnId }));
      const call = manager.addTurns(sessionId, batch, { variables: { x: 1 } });
      await refused(call, 'conflict', { reason: 'turn' });
      assert.deepEqual(await picture(bench.store, sessionId), before);
    },
  },
  {
    id: 'append/answer',
    promise: 'An append answers where the session stands right after it.',
    async check(bench) {
      const sessions = await bench.open({ autoCheckpointInterval: null });
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 2);
      const added = await manager.addTurns(sessionId, [say('x'), say('y')], {
        variables: { a: 1 },
      });
      const state = await manager.getState(sessionId);
      assert.deepEqual(added.head, state.head);
      assert.equal(added.seq, 4);
      assert.equal(added.turnCount, state.turnCount);
      assert.equal(added.revision, state.revision);
      assert.equal(added.status, 'active');
      assert.equal(added.duplicate, false);
      assert.equal(added.current, true);
      assert.deepEqual(added.turns, await turnsOf(manager, sessionId, { from: 3 }));
      assert.deepEqual(state.head.turnId, added.turns[1]?.turnId);
    },
  },
  {
    id: 'append/one-revision',
    promise: 'A commit that is seen is one revision, with all that it brings.',
    async check(bench) {
      const { manager } = await bench.open({ autoCheckpointInterval: 1 });
      const { revision, sessionId } = await manager.create({ userId: 'u' });
      const turn = await manager.addTurn(sessionId, say('a'));
      assert.equal(turn.revision, revision + 1);
      const batch = await manager.addTurns(sessionId, [say('b'), say('c')], {
        variables: { x: 1 },
      });
      assert.equal(batch.revision, revision + 2);
      const since = (await feedOf(bench.store, sessionId)).filter(
        (item) => item.revision > revision,
      );
      assert.deepEqual(since.map((item) => `${item.revision - revision} ${item.type}`).sort(), [
        '1 checkpoint',
        '1 turn',
        '2 checkpoint',
        '2 checkpoint',
        '2 turn',
        '2 turn',
      ]);
    },
  },
  {
    id: 'append/system-prompt',
    promise:
      "A system prompt becomes turn 1: the session's own, else the configuration's, else none.",
    async check(bench) {
      const { manager } = await bench.open({ defaultSystemPrompt: 'be kind' });
      const by = async (systemPrompt?: string | null): Promise<readonly unknown[]> => {
        const { sessionId, turnCount } = await manager.create({ userId: 'u', systemPrompt });
        const turns = await turnsOf(manager, sessionId);
        assert.equal(turns.length, turnCount);
        return turns.map(({ content, role, seq }) => [seq, role, content]);
      };
      assert.deepEqual(await by(), [[1, 'system', 'be kind']]);
      assert.deepEqual(await by('be brief'), [[1, 'system', 'be brief']]);
      assert.deepEqual(await by(null), []);
    },
  },
];
