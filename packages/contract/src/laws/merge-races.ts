import assert from 'node:assert/strict';
import type { MergeStrategy } from '@lexigram/ai-session';
import type { Law } from '../law.ts';
import { inOneTick, range } from '../many.ts';
import { addTexts, feedOf, say, texts, textsOf, turnsOf, visiblePicture } from '../reading.ts';
import { isFault, refused } from '../refusals.ts';
import { family } from './merge.ts';

/** A merge while others write: nothing half visible. */
export const mergeRaceLaws: readonly Law[] = [
  {
    id: 'merge-races/large',
    promise:
      'A merge of many batches comes into sight as one: before the last of it nobody sees anything of it, in no history, list of siblings, tree or feed.',
    async check(bench) {
      const sessions = await bench.open({ maxTurnsPerSession: 10_000 });
      const { branches, manager } = sessions;
      const { branchId, parentId } = await family(sessions, ['x']);
      const count = bench.scale(1_500, 350);
      for (const n of range(1, count / 50)) {
        await manager.addTurns(
          branchId,
          texts(50, `${n}:`).map((text) => say(text)),
        );
      }
      await addTexts(manager, parentId, ['p']);
      const last = (await manager.getState(parentId)).head.turnId ?? '';
      const before = {
        picture: await visiblePicture(bench.store, parentId),
        tree: (await branches.tree(parentId)).items,
        siblings: await manager.siblings(parentId, last),
      };
      let looked = 0;
      const look = async (): Promise<void> => {
        looked += 1;
        assert.deepEqual(await visiblePicture(bench.store, parentId), before.picture);
        assert.deepEqual((await branches.tree(parentId)).items, before.tree);
        assert.deepEqual(await manager.siblings(parentId, last), before.siblings);
      };
      const { merged, state } = await branches.merge(parentId, branchId, {
        strategy: {
          async merge(sides) {
            const turns = async function* () {
              let n = 0;
              for await (const turn of sides.missing()) {
                if (++n % 120 === 0) await look();
                yield turn;
              }
            };
            return { turns: turns() };
          },
        },
      });
      assert.ok(looked >= 2);
      assert.deepEqual([merged, state.turnCount], [count + 1, count + 4]);
      const shown = await textsOf(manager, parentId);
      const theirs = await textsOf(manager, branchId);
      assert.deepEqual(shown, ['t1', 't2', 'p', ...theirs.slice(2)]);
      assert.deepEqual(await bench.store.records(parentId, 'staged', { limit: 9 }), []);
      const feed = await feedOf(bench.store, parentId);
      assert.equal(feed.at(-1)?.type, 'move');
      await manager.undo(parentId);
      assert.deepEqual(await textsOf(manager, parentId), ['t1', 't2', 'p']);
    },
  },
  {
    id: 'merge-races/parent-goes-on',
    promise:
      'A parent that is written to during a merge loses nothing: what was staged follows what was added meanwhile, with its sums.',
    async check(bench) {
      for (const size of [3, bench.scale(900, 230)]) {
        const sessions = await bench.open({ maxTurnsPerSession: 10_000 });
        const { branches, manager } = sessions;
        const { branchId, parentId } = await family(sessions, []);
        for (const [i, text] of texts(size, 'b').entries()) {
          const usage = { totalTokens: i };
          await manager.addTurn(branchId, say(text, { usage, cost: 0.001 }));
        }
        let meanwhile = 0;
        const { merged, state } = await branches.merge(parentId, branchId, {
          strategy: {
            async merge(sides) {
              const turns = async function* () {
                for await (const turn of sides.missing()) {
                  yield turn;
                  if (turn.seq % 100 !== 3) continue;
                  meanwhile += 1;
                  const usage = { totalTokens: 1_000 };
                  await manager.addTurn(parentId, say(`p${meanwhile}`, { usage, cost: 1 }));
                  await manager.setVariables(parentId, { meanwhile });
                }
              };
              return { turns: turns() };
            },
          },
        });
        const expected = ['t1', 't2', ...texts(meanwhile, 'p'), ...texts(size, 'b')];
        assert.deepEqual(await textsOf(manager, parentId), expected);
        assert.deepEqual([merged, state.turnCount], [size, expected.length]);
        const tokens = meanwhile * 1_000 + (size * (size - 1)) / 2;
        assert.equal(state.totalTokens, tokens);
        assert.ok(Math.abs(state.totalCost - meanwhile - size * 0.001) < 1e-9);
        assert.deepEqual(state.variables, { meanwhile });
        const { totalTokens } = await manager.rewind(parentId, { toSeq: 2 + meanwhile + 2 });
        assert.equal(totalTokens, meanwhile * 1_000 + 1);
        await manager.undo(parentId);
        const next = await manager.addTurn(parentId, say('on'));
        assert.equal(next.seq, expected.length + 1);
        assert.equal((await branches.merge(parentId, branchId)).merged, 0);
      }
    },
  },
  {
    id: 'merge-races/parent-moves',
    promise:
      'A parent that another move takes elsewhere during a merge gets what is right where it stands then.',
    async check(bench) {
      const sessions = await bench.open({ maxTurnsPerSession: 10_000 });
      const { branches, manager } = sessions;
      const { branchId, parentId } = await family(sessions, texts(240, 'b'));
      const early = await branches.fork(branchId, 'early', { atSeq: 102 });
      await branches.merge(parentId, early.sessionId);
      assert.equal((await manager.getState(parentId)).turnCount, 102);
      let undone = false;
      const { merged } = await branches.merge(parentId, branchId, {
        strategy: {
          async merge(sides) {
            const turns = async function* () {
              for await (const turn of sides.missing()) {
                yield turn;
                if (undone || turn.seq < 230) continue;
                undone = true;
                await manager.undo(parentId);
              }
            };
            return { turns: turns() };
          },
        },
      });
      assert.equal(merged, 240);
      assert.deepEqual(await textsOf(manager, parentId), ['t1', 't2', ...texts(240, 'b')]);
      assert.deepEqual(await bench.store.records(parentId, 'staged', { limit: 9 }), []);
    },
  },
  {
    id: 'merge-races/at-once',
    promise: 'Of merges of one branch at the same time each turn comes once.',
    async check(bench) {
      const sessions = await bench.open({ maxTurnsPerSession: 10_000 });
      const { branches, manager } = sessions;
      for (const size of [4, bench.scale(400, 120)]) {
        const { branchId, parentId } = await family(sessions, []);
        const batch = texts(size, `${size}:`).map((text) => say(text));
        for (let n = 0; n < size; n += 50) await manager.addTurns(branchId, batch.slice(n, n + 50));
        const { lost, won } = await inOneTick(5, () => branches.merge(parentId, branchId));
        for (const error of lost) isFault(error, 'conflict', { reason: 'head' });
        assert.ok(won.length > 0);
        const brought = won.map(({ merged }) => merged).filter((merged) => merged > 0);
        assert.deepEqual(brought, [size]);
        assert.deepEqual(await textsOf(manager, parentId), await textsOf(manager, branchId));
        assert.deepEqual(await bench.store.records(parentId, 'staged', { limit: 9 }), []);
      }
    },
  },
  {
    id: 'merge-races/both-written-to',
    promise:
      'Merges while both sides are written to lose no turn, bring none twice, and put none before one that it followed.',
    async check(bench) {
      const sessions = await bench.open({ maxTurnsPerSession: 10_000 });
      const { branches, manager } = sessions;
      for (const round of range(1, bench.scale(60, 6))) {
        const { branchId, parentId } = await family(sessions, []);
        const writes = [
          ...range(1, 6).map((n) => () => manager.addTurn(parentId, say(`p${n}`))),
          ...range(1, 6).map((n) => () => manager.addTurn(branchId, say(`b${n}`))),
          ...range(1, 3).map(() => () => branches.merge(parentId, branchId)),
          () => branches.merge(branchId, parentId),
        ];
        const order = writes.map((_, i) => (i * 7 + round) % writes.length);
        const settled = await Promise.allSettled(order.map((i) => writes[i]?.()));
        for (const one of settled) {
          if (one.status === 'rejected') isFault(one.reason, 'conflict', { reason: 'head' });
        }
        for (const id of [parentId, branchId]) {
          const other = id === parentId ? branchId : parentId;
          await branches.merge(id, other);
          const shown = await textsOf(manager, id);
          assert.equal(new Set(shown).size, shown.length, 'each turn once');
          for (const side of ['p', 'b']) {
            const own = shown.filter((text) => String(text).startsWith(side));
            const first = await turnsOf(manager, side === 'p' ? parentId : branchId);
            const written = first.filter(({ origin }) => origin === undefined);
            const said = written.map(({ content }) => content);
            assert.deepEqual(own.toSorted(), said.filter((text) => own.includes(text)).toSorted());
            assert.deepEqual(
              own,
              said.filter((text) => own.includes(text)),
              `${side} in order`,
            );
          }
        }
        assert.equal((await textsOf(manager, parentId)).length, 14);
      }
    },
  },
  {
    id: 'merge-races/expected-head',
    promise:
      'With expectedHead a merge loses to a parent that moved, and nothing of it is written; without it others may be faster three times.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { branchId, parentId } = await family(sessions, ['x']);
      const stale = (await manager.getState(parentId)).head;
      await addTexts(manager, parentId, ['p']);
      const before = await visiblePicture(bench.store, parentId);
      const late = { expectedHead: stale };
      const now = (await manager.getState(parentId)).head;
      await refused(branches.merge(parentId, branchId, late), 'conflict', {
        reason: 'head',
        head: now,
      });
      assert.deepEqual(await visiblePicture(bench.store, parentId), before);
      let tries = 0;
      const racing = {
        strategy: { merge: () => ({ turns: [] }) },
        onConflict: async () => {
          tries += 1;
          await manager.addTurn(parentId, say(`faster ${tries}`));
          return tries;
        },
      };
      await manager.setVariables(parentId, { v: 'parent' });
      await manager.setVariables(branchId, { v: 'branch' });
      await refused(branches.merge(parentId, branchId, racing), 'conflict', { reason: 'head' });
      assert.equal(tries, 3);
      const { head } = await manager.getState(parentId);
      assert.equal(head.seq, 6);
      const fresh = await branches.merge(parentId, branchId, { expectedHead: head });
      assert.equal(fresh.merged, 1);
      tries = 0;
      await manager.setVariables(parentId, { v: 'parent again' });
      await manager.setVariables(branchId, { v: 'branch again' });
      const expectedHead = (await manager.getState(parentId)).head;
      await refused(branches.merge(parentId, branchId, { ...racing, expectedHead }), 'conflict', {
        reason: 'head',
      });
      assert.equal(tries, 1);
    },
  },
  {
    id: 'merge-races/cut-short',
    promise: 'What was staged by a merge that failed is erased at once.',
    async check(bench) {
      const sessions = await bench.open({ maxTurnsPerSession: 10_000 });
      const { branches } = sessions;
      const { branchId, parentId } = await family(sessions, texts(230, 'b'));
      const before = await visiblePicture(bench.store, parentId);
      const broken: MergeStrategy = {
        merge(sides) {
          const turns = async function* () {
            let n = 0;
            for await (const turn of sides.missing()) {
              if (++n > 220) throw new RangeError('broken');
              yield turn;
            }
          };
          return { turns: turns() };
        },
      };
      const failing = branches.merge(parentId, branchId, { strategy: broken });
      await assert.rejects(failing, RangeError);
      assert.deepEqual(await visiblePicture(bench.store, parentId), before);
      assert.deepEqual(await bench.store.records(parentId, 'staged', { limit: 9 }), []);
      assert.deepEqual(await bench.store.timelines([`${parentId}.2`]), [null]);
      assert.equal((await branches.merge(parentId, branchId)).merged, 230);
    },
  },
];
