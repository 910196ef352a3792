import assert from 'node:assert/strict';
import type { Law } from '../law.ts';
import { addTexts, allOf, say, sessionOf } from '../reading.ts';

/** The tree of a family: its sessions, timelines, points, labels and heads. */
export const treeLaws: readonly Law[] = [
  {
    id: 'tree/whole-family',
    promise:
      'A tree has each session of the family with its timelines and checkpoints, whichever session is named, in pages of any size.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, checkpoints, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 3);
      const labelled = await checkpoints.create(sessionId, { label: 'here' });
      await manager.rewind(sessionId, { toSeq: 1 });
      await addTexts(manager, sessionId, ['other']);
      bench.clock.advance(1);
      const branch = await branches.fork(sessionId, 'b', { fromCheckpoint: labelled.checkpointId });
      bench.clock.advance(1);
      const leaf = await branches.fork(branch.sessionId, 'leaf', { atSeq: 0 });
      await manager.suspend(leaf.sessionId);
      const states = [];
      for (const id of [sessionId, branch.sessionId, leaf.sessionId]) {
        states.push(await manager.getState(id));
      }
      const [root, b, l] = states;
      const session = (state: typeof root) => ({
        type: 'session',
        sessionId: state?.sessionId,
        status: state?.status,
        parentSessionId: state?.parentSessionId,
        branchName: state?.branchName,
        forkSeq: state?.forkSeq,
        head: state?.head,
        createdAt: state?.createdAt,
      });
      const place = (timelineId: string, seq: number, turnId: string | null) => ({
        timelineId,
        seq,
        turnId,
      });
      const first = `${sessionId}.1`;
      const turns = await bench.store.turns([{ timelineId: first, from: 1, to: 3 }], {
        limit: 3,
        order: 'asc',
      });
      const id = (seq: number): string => turns[seq - 1]?.turnId ?? '';
      const timeline = (timelineId: string, base: unknown, end: unknown, current: boolean) => ({
        type: 'timeline',
        sessionId: timelineId.split('.')[0],
        timelineId,
        base,
        end,
        current,
      });
      const expected = [
        session(root),
        timeline(first, null, place(first, 3, id(3)), false),
        timeline(`${sessionId}.2`, place(first, 1, id(1)), root?.head, true),
        {
          type: 'checkpoint',
          sessionId,
          checkpointId: labelled.checkpointId,
          label: 'here',
          automatic: false,
          point: labelled.head,
        },
        session(b),
        timeline(`${b?.sessionId}.1`, place(first, 3, id(3)), b?.head, true),
        session(l),
        timeline(`${l?.sessionId}.1`, place(first, 0, null), l?.head, true),
      ];
      for (const state of states) {
        for (const limit of [1, 3, 100]) {
          const items = await allOf((page) => branches.tree(state.sessionId, page), limit);
          assert.deepEqual(items, expected, `${limit} a page`);
        }
      }
    },
  },
  {
    id: 'tree/deleted-parent',
    promise:
      'A deleted parent of which others still read turns is a node without a name, with those of its timelines that they read and no more.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, checkpoints, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 1);
      bench.clock.advance(1);
      const middle = await branches.fork(sessionId, 'secret name');
      await addTexts(manager, middle.sessionId, ['m1', 'm2', 'm3']);
      bench.clock.advance(1);
      const leaf = await branches.fork(middle.sessionId, 'leaf', { atSeq: 3 });
      await manager.rewind(middle.sessionId, { toSeq: 2 });
      await manager.addTurn(middle.sessionId, say('left'));
      await checkpoints.create(middle.sessionId, { label: 'gone' });
      await manager.delete(middle.sessionId);
      for (const id of [sessionId, leaf.sessionId]) {
        const { items } = await branches.tree(id);
        assert.ok(!JSON.stringify(items).includes('secret name'));
        assert.deepEqual(
          items.map((item) => [item.type, item.sessionId]),
          [
            ['session', sessionId],
            ['timeline', sessionId],
            ['session', middle.sessionId],
            ['timeline', middle.sessionId],
            ['session', leaf.sessionId],
            ['timeline', leaf.sessionId],
          ],
        );
        const [, , node, kept] = items;
        assert.deepEqual(node, {
          type: 'session',
          sessionId: middle.sessionId,
          status: 'deleted',
          parentSessionId: null,
          branchName: null,
          forkSeq: null,
          head: null,
          createdAt: null,
        });
        assert.ok(kept?.type === 'timeline');
        assert.deepEqual([kept.end.seq, kept.base?.seq, kept.current], [3, 1, false]);
      }
      await manager.delete(leaf.sessionId);
      const { items } = await branches.tree(sessionId);
      assert.deepEqual([...new Set(items.map((item) => item.sessionId))], [sessionId]);
    },
  },
];
