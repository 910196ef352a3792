import assert from 'node:assert/strict';
import type { SessionStore } from '@lexigram/ai-session';
import type { Law } from '../law.ts';
import { inOneTick } from '../many.ts';
import { say, sessionOf, textsOf, turnsOf } from '../reading.ts';
import { isFault } from '../refusals.ts';

/** What the reflog of a session says, oldest first. */
async function reflog(store: SessionStore, sessionId: string): Promise<readonly string[]> {
  const records = await store.records(sessionId, 'move', { limit: 1_000 });
  return records.map(({ value }) => (JSON.parse(value) as { move: string }).move);
}

/** The word "move": each opens a timeline and swings the pointer to it. */
export const moveLaws: readonly Law[] = [
  {
    id: 'moves/rewind',
    promise:
      'In a rewind the turn or seq that is named is the last that is kept; seq 0 keeps none.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 5);
      const turns = await turnsOf(manager, sessionId);
      const third = await manager.rewind(sessionId, { toTurn: turns[2]?.turnId ?? '' });
      assert.equal(third.turnCount, 3);
      assert.equal(third.head.turnId, turns[2]?.turnId);
      assert.deepEqual(await turnsOf(manager, sessionId), turns.slice(0, 3));
      await manager.rewind(sessionId, { toSeq: 2 });
      assert.deepEqual(await turnsOf(manager, sessionId), turns.slice(0, 2));
      const empty = await manager.rewind(sessionId, { toSeq: 0 });
      assert.deepEqual([empty.head.seq, empty.head.turnId], [0, null]);
      assert.deepEqual(await turnsOf(manager, sessionId), []);
      assert.equal((await manager.addTurn(sessionId, say('first'))).seq, 1);
    },
  },
  {
    id: 'moves/edit',
    promise:
      'An edit puts other content in the place of a turn; the turn itself stays where it was, and what it cost with it.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const { head, sessionId } = await sessionOf(sessions, 1);
      const written = {
        ...say('old', { turnId: 'x', agent: 'a', name: 'n', metadata: { m: 1 } }),
        usage: { inputTokens: 3 },
        cost: 1,
      };
      const { turn } = await manager.addTurn(sessionId, written);
      await manager.addTurn(sessionId, say('after'));
      const state = await manager.edit(sessionId, 'x', 'new');
      assert.equal(state.turnCount, 2);
      const [first, edited] = await turnsOf(manager, sessionId);
      assert.equal(first?.turnId, head.turnId);
      assert.notEqual(edited?.turnId, 'x');
      assert.deepEqual(
        [edited?.content, edited?.role, edited?.agent, edited?.name, edited?.metadata],
        ['new', 'user', 'a', 'n', { m: 1 }],
      );
      assert.deepEqual([state.totalTokens, state.totalCost], [0, 0]);
      assert.deepEqual([state.lifetimeTokens, state.lifetimeCost], [3, 1]);
      await manager.undo(sessionId);
      assert.deepEqual((await turnsOf(manager, sessionId))[1], turn);
    },
  },
  {
    id: 'moves/regenerate',
    promise: 'A regenerate moves to before an answer, or to right after the question.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 1);
      await manager.addTurn(sessionId, say('question', { turnId: 'q' }));
      const answer = { role: 'assistant' as const, content: 'answer', turnId: 'a' };
      await manager.addTurn(sessionId, answer);
      await manager.addTurn(sessionId, say('thanks'));
      assert.equal((await manager.regenerate(sessionId, 'a')).turnCount, 2);
      await manager.addTurn(sessionId, { role: 'assistant', content: 'another' });
      assert.equal((await manager.regenerate(sessionId, 'q')).turnCount, 2);
      await manager.addTurn(sessionId, { role: 'assistant', content: 'a third' });
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 'question', 'a third']);
    },
  },
  {
    id: 'moves/one-revision',
    promise:
      'Each move is one revision, opens a timeline of its own and stands in the reflog and the feed.',
    async check(bench) {
      const sessions = await bench.open();
      const { checkpoints, manager } = sessions;
      const { head, sessionId } = await sessionOf(sessions, 3);
      const { checkpointId } = await checkpoints.create(sessionId);
      const moves = [
        () => manager.restore(checkpointId),
        () => manager.rewind(sessionId, { toSeq: 2 }),
        () => manager.edit(sessionId, head.turnId ?? '', 'new'),
        () => manager.regenerate(sessionId, head.turnId ?? ''),
      ];
      const timelines = new Set([head.timelineId]);
      let { revision } = await manager.getState(sessionId);
      for (const move of moves) {
        const state = await move();
        revision += 1;
        assert.equal(state.revision, revision);
        timelines.add(state.head.timelineId);
      }
      assert.equal(timelines.size, 5);
      const names = ['restore', 'rewind', 'edit', 'regenerate'];
      assert.deepEqual(await reflog(bench.store, sessionId), names);
      await manager.undo(sessionId);
      await manager.redo(sessionId);
      assert.deepEqual(await reflog(bench.store, sessionId), [...names, 'undo', 'redo']);
      const feed = await bench.store.feed(sessionId, { after: 0, limit: 100 });
      assert.equal(feed.filter(({ type }) => type === 'move').length, 6);
    },
  },
  {
    id: 'moves/named-turn',
    promise: "A turnId in a call means the newest in the current history, else the session's own.",
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { sessionId } = await manager.create({ userId: 'u' });
      await manager.addTurn(sessionId, say('parent', { turnId: 'x' }));
      await manager.addTurn(sessionId, say('left', { turnId: 'left' }));
      await manager.rewind(sessionId, { toTurn: 'x' });
      await manager.addTurn(sessionId, say('on'));
      const branch = await branches.fork(sessionId, 'b');
      await manager.addTurn(branch.sessionId, say('branch', { turnId: 'x' }));
      await manager.addTurn(branch.sessionId, say('end'));
      await manager.rewind(branch.sessionId, { toTurn: 'x' });
      assert.deepEqual(await textsOf(manager, branch.sessionId), ['parent', 'on', 'branch']);
      const back = await manager.rewind(sessionId, { toTurn: 'left' });
      assert.equal(back.head.turnId, 'left');
      assert.deepEqual(await textsOf(manager, sessionId), ['parent', 'left']);
      const fork = await branches.fork(sessionId, 'c', { atTurn: 'left' });
      assert.deepEqual(await textsOf(manager, fork.sessionId), ['parent', 'left']);
    },
  },
  {
    id: 'moves/same-tick',
    promise:
      'Of moves in the same tick each is made whole or refused as a conflict, and the reflog has those that were made.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const { revision, sessionId } = await sessionOf(sessions, 6);
      const { lost, won } = await inOneTick(12, (i) =>
        i % 3 === 2
          ? manager.addTurn(sessionId, say(`w${i}`)).then(() => null)
          : manager.rewind(sessionId, { toSeq: 1 + (i % 5) }),
      );
      for (const error of lost) {
        if ((error as { code?: unknown }).code !== 'LEX_ERR_SES_014') {
          isFault(error, 'conflict', { reason: 'move' });
        }
      }
      const moves = won.filter((state) => state !== null);
      assert.equal((await reflog(bench.store, sessionId)).length, moves.length);
      assert.equal(new Set(moves.map(({ head }) => head.timelineId)).size, moves.length);
      const state = await manager.getState(sessionId);
      assert.equal(state.revision, revision + won.length);
      assert.equal((await textsOf(manager, sessionId)).length, state.turnCount);
    },
  },
];
