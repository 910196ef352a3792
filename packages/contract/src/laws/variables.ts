import assert from 'node:assert/strict';
import type { JsonObject } from '@lexigram/ai-session';
import type { Law } from '../law.ts';
import { inOneTick, range } from '../many.ts';
import { picture, say, sessionOf, textsOf } from '../reading.ts';
import { refused } from '../refusals.ts';

/** The word "variables": a session's JSON state, a version for every patch. */
export const variableLaws: readonly Law[] = [
  {
    id: 'variables/patch',
    promise: 'A patch replaces top-level keys or unsets them; values are opaque and never merged.',
    async check(bench) {
      const { manager } = await bench.open();
      const variables = { a: { x: 1, y: 2 }, b: [1, 2], c: null };
      const { sessionId } = await manager.create({ userId: 'u', variables });
      const { variables: after } = await manager.setVariables(
        sessionId,
        { a: { x: 3 }, d: 'new' },
        { unset: ['b', 'never there'] },
      );
      assert.deepEqual(after, { a: { x: 3 }, c: null, d: 'new' });
      const turn = await manager.addTurn(sessionId, say('x'), {
        variables: { c: [] },
        unset: ['a'],
      });
      const state = await manager.getState(sessionId);
      assert.deepEqual(state.variables, { c: [], d: 'new' });
      assert.equal(state.revision, turn.revision);
    },
  },
  {
    id: 'variables/at-any-seq',
    promise:
      'The state at a seq is that after its turn and before later patches that stand alone; seq 0 is the beginning.',
    async check(bench) {
      const { manager } = await bench.open();
      const { sessionId } = await manager.create({ userId: 'u', variables: { n: 0 } });
      await manager.setVariables(sessionId, { alone: 0 });
      const expected: JsonObject[] = [{ n: 0 }];
      let now: JsonObject = { n: 0, alone: 0 };
      for (const n of range(1, 9)) {
        const variables: { readonly n?: number } = n % 3 === 0 ? {} : { n };
        await manager.addTurn(sessionId, say(`t${n}`), { variables });
        now = { ...now, ...variables };
        expected.push(now);
        if (n % 2 === 0) {
          await manager.setVariables(sessionId, { alone: n });
          await manager.setVariables(sessionId, { twice: n });
          now = { ...now, alone: n, twice: n };
        }
      }
      for (const [toSeq, variables] of expected.entries()) {
        const state = await manager.rewind(sessionId, { toSeq });
        assert.deepEqual(state.variables, variables, `at seq ${toSeq}`);
        await manager.undo(sessionId);
      }
      assert.deepEqual((await manager.getState(sessionId)).variables, now);
    },
  },
  {
    id: 'variables/batch',
    promise: "A batch's patch stands at its last turn.",
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 1);
      await manager.setVariables(sessionId, { v: 'before' });
      const batch = ['a', 'b', 'c'].map((turnId) => say(turnId, { turnId }));
      await manager.addTurns(sessionId, batch, { variables: { v: 'batch' } });
      for (const [atTurn, v] of Object.entries({ a: 'before', b: 'before', c: 'batch' })) {
        const branch = await branches.fork(sessionId, atTurn, { atTurn });
        assert.deepEqual(branch.variables, { v }, atTurn);
        assert.deepEqual((await manager.rewind(sessionId, { toTurn: atTurn })).variables, { v });
        await manager.undo(sessionId);
      }
    },
  },
  {
    id: 'variables/many-versions',
    promise: 'However many versions there are, long and short, each is read as it was.',
    async check(bench) {
      const { branches, manager } = await bench.open({ maxBranchesPerSession: 1_000 });
      const { sessionId } = await manager.create({ userId: 'u', variables: { start: true } });
      const expected: JsonObject[] = [];
      const long = 'long '.repeat(300);
      let now: Record<string, JsonObject[string]> = { start: true };
      const versions = bench.scale(700, 150);
      for (const n of range(1, versions)) {
        const set = n % 10 === 0 ? { [`l${n % 30}`]: `${long}${n}` } : { [`k${n % 7}`]: n };
        const unset = n % 11 === 0 ? [`k${(n + 1) % 7}`] : [];
        await manager.addTurn(sessionId, say(`t${n}`), { variables: set, unset });
        now = { ...now, ...set };
        for (const key of unset) delete now[key];
        expected.push(now);
      }
      for (let n = 1; n <= versions; n += 9) {
        const branch = await branches.fork(sessionId, 'b', { atSeq: n });
        assert.deepEqual(branch.variables, expected[n - 1], `version ${n}`);
        await manager.delete(branch.sessionId);
      }
      const back = await manager.rewind(sessionId, { toSeq: 77 });
      assert.deepEqual(back.variables, expected[76]);
      await manager.setVariables(sessionId, { on: 1 });
      const { variables } = await manager.setVariables(sessionId, { on: 2 });
      assert.deepEqual(variables, { ...expected[76], on: 2 });
    },
  },
  {
    id: 'variables/all-or-nothing',
    promise: 'A patch past a limit is refused together with its turn.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 1);
      await manager.setVariables(sessionId, { most: 'x'.repeat(60_000) });
      const before = await picture(bench.store, sessionId);
      const variables = { more: 'x'.repeat(6_000) };
      await refused(manager.addTurn(sessionId, say('x'), { variables }), 'limit', { max: 65_536 });
      const batch = [say('a'), say('b')];
      await refused(manager.addTurns(sessionId, batch, { variables }), 'limit', { max: 65_536 });
      await refused(manager.setVariables(sessionId, variables), 'limit', { max: 65_536 });
      assert.deepEqual(await picture(bench.store, sessionId), before);
      const exact = 'x'.repeat(65_536 - '{"most":"","one":1}'.length);
      await refused(manager.setVariables(sessionId, { most: `${exact}x`, one: 1 }), 'limit');
      await manager.setVariables(sessionId, { most: exact, one: 1 });
      await manager.setVariables(sessionId, { one: 1 }, { unset: ['most'] });
      const keys = Object.fromEntries(range(1, 1_000).map((n) => [`k${n}`, n]));
      await refused(manager.setVariables(sessionId, keys), 'limit', { max: 1_000 });
      const { variables: all } = await manager.setVariables(sessionId, keys, { unset: ['one'] });
      assert.deepEqual(all, keys);
    },
  },
  {
    id: 'variables/same-tick',
    promise:
      'Patches of different keys in the same tick are all there in the end, alone and with turns; so are those of the metadata.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const { revision, sessionId } = await sessionOf(sessions);
      const ways = [
        (patch: JsonObject) => manager.setVariables(sessionId, patch),
        (patch: JsonObject) => manager.addTurn(sessionId, say('x'), { variables: patch }),
        (patch: JsonObject) => manager.setMetadata(sessionId, patch),
      ];
      const { won } = await inOneTick(
        30,
        async (i): Promise<unknown> => ways[i % 3]?.({ [`k${i}`]: i }),
      );
      assert.equal(won.length, 30);
      const state = await manager.getState(sessionId);
      const all = (data: boolean): JsonObject =>
        Object.fromEntries(
          range(0, 29)
            .filter((i) => (i % 3 === 2) === data)
            .map((i) => [`k${i}`, i]),
        );
      assert.deepEqual(state.variables, all(false));
      assert.deepEqual(state.metadata, all(true));
      assert.equal(state.revision, revision + 30);
    },
  },
  {
    id: 'variables/metadata-has-no-versions',
    promise:
      'Metadata is not versioned: no move changes it, and a branch starts with a copy of it as it is.',
    async check(bench) {
      const { branches, manager } = await bench.open();
      const { sessionId } = await manager.create({ userId: 'u', metadata: { m: 1, n: 1 } });
      await manager.addTurn(sessionId, say('t1'));
      const { checkpointId } = await manager.checkpoint(sessionId);
      await manager.setMetadata(sessionId, { m: 2 }, { unset: ['n'] });
      assert.deepEqual((await manager.restore(checkpointId)).metadata, { m: 2 });
      assert.deepEqual((await manager.undo(sessionId)).metadata, { m: 2 });
      const branch = await branches.fork(sessionId, 'b', { fromCheckpoint: checkpointId });
      assert.deepEqual(branch.metadata, { m: 2 });
      await manager.setMetadata(branch.sessionId, { m: 3 });
      assert.deepEqual((await manager.getState(sessionId)).metadata, { m: 2 });
      assert.deepEqual(await textsOf(manager, sessionId), ['t1']);
    },
  },
];
