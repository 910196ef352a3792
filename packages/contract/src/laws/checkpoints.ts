import assert from 'node:assert/strict';
import type { SessionCheckpoint, Sessions } from '@lexigram/ai-session';
import type { Law } from '../law.ts';
import { range } from '../many.ts';
import { addTexts, feedOf, picture, say, sessionOf, texts, textsOf } from '../reading.ts';
import { refused } from '../refusals.ts';

async function seqsOf(
  { checkpoints }: Sessions,
  sessionId: string,
): Promise<readonly (readonly [number, boolean, string | null])[]> {
  const { items } = await checkpoints.list(sessionId, { limit: 1_000 });
  return items.map(({ automatic, label, turnCount }) => [turnCount, automatic, label] as const);
}

/** The word "checkpoint": an immutable named point of a session. */
export const checkpointLaws: readonly Law[] = [
  {
    id: 'checkpoints/automatic',
    promise:
      'A checkpoint is made at each multiple of N, by turns one by one as by a batch that crosses several, with the variables there.',
    async check(bench) {
      const sessions = await bench.open({ autoCheckpointInterval: 3 });
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 4);
      const batch = texts(8, 'b').map((text) => say(text));
      const { checkpoints } = await manager.addTurns(sessionId, batch, { variables: { v: 1 } });
      assert.deepEqual(
        checkpoints.map(({ turnCount }) => turnCount),
        [6, 9, 12],
      );
      assert.deepEqual(await seqsOf(sessions, sessionId), [
        [3, true, null],
        [6, true, null],
        [9, true, null],
        [12, true, null],
      ]);
      const all = await textsOf(manager, sessionId);
      const [, second] = (await sessions.checkpoints.list(sessionId)).items;
      const restored = await manager.restore(second?.checkpointId ?? '');
      assert.deepEqual(restored.variables, {});
      assert.deepEqual(await textsOf(manager, sessionId), all.slice(0, 6));
      const last = await manager.restore(checkpoints.at(-1)?.checkpointId ?? '');
      assert.deepEqual(last.variables, { v: 1 });
      const without = await bench.open({ autoCheckpointInterval: null });
      const { sessionId: bare } = await sessionOf(without, 25);
      assert.deepEqual(await seqsOf(without, bare), []);
    },
  },
  {
    id: 'checkpoints/first-turn',
    promise: 'A system prompt that opens a session counts: with N = 1 a checkpoint stands at it.',
    async check(bench) {
      const sessions = await bench.open({ autoCheckpointInterval: 1 });
      const { manager } = sessions;
      const input = { userId: 'u', systemPrompt: 'Be brief.', variables: { v: 1 } };
      const { sessionId } = await manager.create(input);
      assert.deepEqual(await seqsOf(sessions, sessionId), [[1, true, null]]);
      await manager.addTurn(sessionId, say('second'), { variables: { v: 2 } });
      const [first] = (await sessions.checkpoints.list(sessionId)).items;
      const restored = await manager.restore(first?.checkpointId ?? '');
      assert.deepEqual([restored.turnCount, restored.variables], [1, { v: 1 }]);
    },
  },
  {
    id: 'checkpoints/pages',
    promise:
      'Automatic checkpoints and those by hand are one list, in the order in which they were made, in pages and without those that went.',
    async check(bench) {
      const sessions = await bench.open({ autoCheckpointInterval: 2 });
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 3);
      await manager.checkpoint(sessionId, { label: 'three' });
      await addTexts(manager, sessionId, ['4', '5']);
      await manager.checkpoint(sessionId);
      await addTexts(manager, sessionId, ['6', '7', '8']);
      const [, , third] = (await sessions.checkpoints.list(sessionId)).items;
      await sessions.checkpoints.delete(third?.checkpointId ?? '');
      const expected = [
        [2, true, null],
        [3, false, 'three'],
        [5, false, null],
        [6, true, null],
        [8, true, null],
      ];
      assert.deepEqual(await seqsOf(sessions, sessionId), expected);
      const seen: unknown[] = [];
      for (let cursor: string | undefined, more = true; more; ) {
        const page = await sessions.checkpoints.list(sessionId, {
          limit: 2,
          ...(cursor && { cursor }),
        });
        seen.push(...page.items.map((one) => [one.turnCount, one.automatic, one.label]));
        cursor = page.nextCursor ?? undefined;
        more = cursor !== undefined;
      }
      assert.deepEqual(seen, expected);
      const keys = (rows: readonly { readonly key: string }[]) =>
        rows.map(({ key }) => Number(key));
      const newest = await bench.store.records(sessionId, 'checkpoint', {
        limit: 2,
        order: 'desc',
      });
      assert.deepEqual(keys(newest), [6, 5]);
      const after = newest[1]?.key ?? '';
      const page = { limit: 2, order: 'desc', after } as const;
      assert.deepEqual(keys(await bench.store.records(sessionId, 'checkpoint', page)), [4, 2]);
      assert.equal(
        await bench.store.record(sessionId, 'checkpoint', third?.checkpointId ?? ''),
        null,
      );
    },
  },
  {
    id: 'checkpoints/same-effect',
    promise:
      'An automatic checkpoint is made in the same effect as its turn: one revision, or neither.',
    async check(bench) {
      const sessions = await bench.open({ autoCheckpointInterval: 2 });
      const { manager } = sessions;
      const { head, sessionId } = await sessionOf(sessions, 1);
      const turn = say('x', { turnId: 'x' });
      const { checkpoints, revision } = await manager.addTurn(sessionId, turn);
      const entries = (await feedOf(bench.store, sessionId)).filter(
        (item) => item.revision === revision,
      );
      assert.deepEqual(entries.map(({ type }) => type).toSorted(), ['checkpoint', 'turn']);
      assert.deepEqual((await sessions.checkpoints.list(sessionId)).items, checkpoints);
      assert.equal((await manager.addTurn(sessionId, turn)).checkpoints.length, 0);
      await addTexts(manager, sessionId, ['third']);
      const late = manager.addTurn(sessionId, say('late'), { expectedHead: head });
      await refused(late, 'conflict');
      assert.equal((await seqsOf(sessions, sessionId)).length, 1);
    },
  },
  {
    id: 'checkpoints/what-goes-first',
    promise: 'Past the cap the oldest automatic checkpoint goes, then the oldest without a label.',
    async check(bench) {
      const sessions = await bench.open({ autoCheckpointInterval: 2, maxCheckpointsPerSession: 4 });
      const { checkpoints, manager } = sessions;
      const { sessionId } = await manager.create({ userId: 'u' });
      await checkpoints.create(sessionId, { label: 'start' });
      await checkpoints.create(sessionId);
      await addTexts(manager, sessionId, texts(6));
      const kept = async (): Promise<readonly string[]> =>
        (await seqsOf(sessions, sessionId)).map(
          ([seq, automatic, label]) => `${seq}${automatic ? 'a' : ''}${label ?? ''}`,
        );
      assert.deepEqual(await kept(), ['0start', '0', '4a', '6a']);
      await checkpoints.create(sessionId, { label: 'six' });
      assert.deepEqual(await kept(), ['0start', '0', '6a', '6six']);
      await checkpoints.create(sessionId);
      assert.deepEqual(await kept(), ['0start', '0', '6six', '6']);
      await addTexts(manager, sessionId, texts(2));
      assert.deepEqual(await kept(), ['0start', '6six', '6', '8a']);
      await checkpoints.create(sessionId);
      await checkpoints.create(sessionId, { label: 'eight' });
      assert.deepEqual(await kept(), ['0start', '6six', '8', '8eight']);
      await checkpoints.delete((await checkpoints.list(sessionId)).items[1]?.checkpointId ?? '');
      await checkpoints.create(sessionId);
      // Of a batch that crosses several, each makes room: the first by one by hand, the second by the first.
      await manager.addTurns(
        sessionId,
        texts(5).map((text) => say(text)),
      );
      assert.deepEqual(await kept(), ['0start', '8eight', '8', '12a']);
    },
  },
  {
    id: 'checkpoints/all-labelled',
    promise:
      'If all are labelled, one by hand is refused and an automatic one is skipped, until one is deleted.',
    async check(bench) {
      const sessions = await bench.open({ autoCheckpointInterval: 2, maxCheckpointsPerSession: 2 });
      const { checkpoints, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 1);
      const { checkpointId } = await checkpoints.create(sessionId, { label: 'a' });
      await checkpoints.create(sessionId, { label: 'b' });
      const before = await picture(bench.store, sessionId);
      await refused(checkpoints.create(sessionId), 'capacity', { max: 2 });
      await refused(checkpoints.create(sessionId, { label: 'c' }), 'capacity', { max: 2 });
      assert.deepEqual(await picture(bench.store, sessionId), before);
      const { checkpoints: made } = await manager.addTurn(sessionId, say('second'));
      assert.deepEqual(made, []);
      assert.deepEqual(await seqsOf(sessions, sessionId), [
        [1, false, 'a'],
        [1, false, 'b'],
      ]);
      await checkpoints.delete(checkpointId);
      await checkpoints.create(sessionId, { label: 'c' });
      await manager.rewind(sessionId, { toSeq: 1 });
      await refused(checkpoints.create(sessionId, { label: 'd' }), 'capacity', { max: 2 });
    },
  },
  {
    id: 'checkpoints/labels',
    promise:
      'The same label at the same point answers that checkpoint; at another point it is a conflict.',
    async check(bench) {
      const sessions = await bench.open();
      const { checkpoints, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 1);
      const first = await checkpoints.create(sessionId, { label: 'x' });
      const before = await picture(bench.store, sessionId);
      assert.deepEqual(await checkpoints.create(sessionId, { label: 'x' }), first);
      assert.deepEqual(await picture(bench.store, sessionId), before);
      await manager.setVariables(sessionId, { v: 1 });
      const patched = checkpoints.create(sessionId, { label: 'x' });
      await refused(patched, 'conflict', { reason: 'label' });
      await manager.addTurn(sessionId, say('on'));
      const later = checkpoints.create(sessionId, { label: 'x' });
      await refused(later, 'conflict', { reason: 'label' });
      await checkpoints.delete(first.checkpointId);
      const again = await checkpoints.create(sessionId, { label: 'x' });
      assert.equal(again.turnCount, 2);
      assert.notEqual(again.checkpointId, first.checkpointId);
      const { sessionId: other } = await sessionOf(sessions, 1);
      assert.equal((await checkpoints.create(other, { label: 'x' })).sessionId, other);
    },
  },
  {
    id: 'checkpoints/restore',
    promise: 'A restore brings turns and variables back, and leaves the metadata alone.',
    async check(bench) {
      const sessions = await bench.open();
      const { checkpoints, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 2);
      await manager.setVariables(sessionId, { v: 1 });
      const made: { readonly point: SessionCheckpoint; readonly texts: readonly unknown[] }[] = [];
      for (const n of range(1, 3)) {
        await manager.addTurn(sessionId, say(`n${n}`), { variables: { [`k${n}`]: n } });
        await manager.setVariables(sessionId, { v: n });
        const point = await checkpoints.create(sessionId, { label: `c${n}` });
        made.push({ point, texts: await textsOf(manager, sessionId) });
        await manager.rewind(sessionId, { toSeq: n });
      }
      await manager.setMetadata(sessionId, { m: 'now' });
      for (const n of [2, 1, 3, 3]) {
        const { point, texts: shown } = made[n - 1] as (typeof made)[number];
        const state = await checkpoints.restore(point.checkpointId);
        assert.equal(state.variables['v'], n);
        assert.equal(state.head.turnId, point.head.turnId);
        assert.equal(state.turnCount, point.turnCount);
        assert.deepEqual(state.metadata, { m: 'now' });
        assert.deepEqual(await textsOf(manager, sessionId), shown);
        await addTexts(manager, sessionId, ['after']);
      }
    },
  },
  {
    id: 'checkpoints/immutable',
    promise: 'A checkpoint stays what it was, whatever becomes of its session.',
    async check(bench) {
      const sessions = await bench.open();
      const { checkpoints, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 3);
      const metadata = { why: { deep: [1] } };
      const made = await checkpoints.create(sessionId, { label: 'x', metadata });
      assert.deepEqual(made.metadata, metadata);
      bench.clock.advance(1_000);
      await addTexts(manager, sessionId, texts(2));
      await manager.setVariables(sessionId, { v: 1 });
      await manager.rewind(sessionId, { toSeq: 1 });
      await checkpoints.restore(made.checkpointId);
      await manager.close(sessionId);
      assert.deepEqual(await checkpoints.get(made.checkpointId), made);
      assert.deepEqual((await checkpoints.list(sessionId)).items, [made]);
    },
  },
  {
    id: 'checkpoints/delete',
    promise:
      'A checkpoint that is deleted is gone; its turns stay, and its id never names another.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, checkpoints, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 2);
      const { checkpointId } = await checkpoints.create(sessionId);
      const other = await checkpoints.create(sessionId);
      await checkpoints.delete(checkpointId);
      await refused(checkpoints.get(checkpointId), 'noCheckpoint', { checkpointId });
      await refused(checkpoints.restore(checkpointId), 'noCheckpoint');
      await refused(checkpoints.delete(checkpointId), 'noCheckpoint');
      const fork = branches.fork(sessionId, 'b', { fromCheckpoint: checkpointId });
      await refused(fork, 'noCheckpoint');
      assert.deepEqual((await checkpoints.list(sessionId)).items, [other]);
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 't2']);
      await checkpoints.delete(other.checkpointId);
      const { checkpointId: next } = await checkpoints.create(sessionId);
      assert.ok(next !== checkpointId && next !== other.checkpointId);
    },
  },
  {
    id: 'checkpoints/diff',
    promise:
      'A diff tells the last point that two checkpoints share, what only one has, and how variables and sums differ.',
    async check(bench) {
      const sessions = await bench.open();
      const { checkpoints, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 2);
      const { head } = await manager.getState(sessionId);
      await manager.addTurn(sessionId, say('a'), { variables: { v: 1, gone: true } });
      const a = await checkpoints.create(sessionId);
      await manager.rewind(sessionId, { toSeq: 2 });
      await manager.addTurn(sessionId, say('b1', { usage: { totalTokens: 5 }, cost: 0.5 }));
      await manager.addTurn(sessionId, say('b2'), { variables: { v: 2 } });
      const b = await checkpoints.create(sessionId);
      const diff = await checkpoints.diff(a.checkpointId, b.checkpointId);
      assert.deepEqual(diff.common, head);
      assert.deepEqual(
        [diff.onlyA, diff.onlyB].map(({ count, turns }) => [count, turns.map((t) => t.content)]),
        [
          [1, ['a']],
          [2, ['b1', 'b2']],
        ],
      );
      assert.deepEqual(diff.variables, { set: { v: 2 }, unset: ['gone'] });
      assert.deepEqual([diff.tokens, diff.cost], [5, 0.5]);
    },
  },
];
