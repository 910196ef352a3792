import assert from 'node:assert/strict';
import type { Page, PageOptions, Sessions } from '@lexigram/ai-session';
import type { Law } from '../law.ts';
import { range } from '../many.ts';
import { addTexts, allOf, say, sessionOf, texts, textsOf, turnsOf } from '../reading.ts';
import { refused } from '../refusals.ts';

type List = (page: PageOptions) => Promise<Page<unknown>>;

/** Each list of the services, with `count` items on it. */
async function lists(sessions: Sessions, count: number): Promise<Readonly<Record<string, List>>> {
  const { branches, checkpoints, manager } = sessions;
  const { sessionId } = await sessionOf(sessions, 1);
  for (const _ of range(1, count - 1)) await manager.create({ userId: 'listed' });
  await manager.create({ userId: 'listed' });
  for (const n of range(1, count)) {
    await checkpoints.create(sessionId);
    await branches.fork(sessionId, `b${n}`);
  }
  return {
    sessions: (page) => manager.list({ ...page, userId: 'listed' }),
    checkpoints: (page) => checkpoints.list(sessionId, page),
    branches: (page) => branches.list(sessionId, page),
  };
}

const roomy = {
  maxBranchesPerSession: 1_000,
  maxCheckpointsPerSession: 1_000,
  maxSessionsPerUser: 1_000,
};

/** Promises 10 and 11: reading is in pages, nothing is unbounded, and no cursor jumps in silence. */
export const pageLaws: readonly Law[] = [
  {
    id: 'pages/everything-once',
    promise:
      'Pages of any size show each item once and in the same order, and the last one has no cursor.',
    async check(bench) {
      const all = await lists(await bench.open(roomy), 7);
      for (const [name, list] of Object.entries(all)) {
        const whole = await list({});
        assert.equal(whole.nextCursor, null, name);
        assert.equal(whole.items.length, 7, name);
        for (const limit of [1, 2, 3, 6, 7, 8]) {
          assert.deepEqual(await allOf(list, limit), whole.items, `${name} by ${limit}`);
        }
      }
    },
  },
  {
    id: 'pages/bounded',
    promise: 'A page has 100 items if the caller names no number, and never more than it names.',
    async check(bench) {
      const all = await lists(await bench.open(roomy), 103);
      for (const [name, list] of Object.entries(all)) {
        const { items, nextCursor } = await list({});
        assert.equal(items.length, 100, name);
        assert.equal((await list({ cursor: nextCursor ?? '' })).items.length, 3, name);
        assert.equal((await list({ limit: 102 })).items.length, 102, name);
      }
    },
  },
  {
    id: 'pages/while-others-write',
    promise:
      'Sessions made or deleted between pages make none of the others appear twice or not at all.',
    async check(bench) {
      const { manager } = await bench.open();
      const made: string[] = [];
      for (const _ of range(1, 9)) {
        made.unshift((await manager.create({ userId: 'u' })).sessionId);
        bench.clock.advance(1);
      }
      const seen: string[] = [];
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const page: Page<{ readonly sessionId: string }> = await manager.list({
          limit: 3,
          ...(cursor === undefined ? {} : { cursor }),
        });
        seen.push(...page.items.map(({ sessionId }) => sessionId));
        assert.ok(seen.length <= made.length, 'no session is shown twice');
        cursor = page.nextCursor;
        for (const _ of range(1, 2)) await manager.create({ userId: 'u' });
        await manager.delete(seen.at(-1) ?? '');
        bench.clock.advance(1);
      }
      assert.deepEqual(seen, made);
    },
  },
  {
    id: 'pages/cursor-of-another-list',
    promise:
      'A cursor that is none, or of another kind of list, is refused and never read as another place.',
    async check(bench) {
      const all = await lists(await bench.open(roomy), 3);
      const { nextCursor } = await (all['checkpoints'] as List)({ limit: 1 });
      const other = await (all['sessions'] as List)({ limit: 1 });
      for (const [name, list] of Object.entries(all)) {
        const foreign = name === 'checkpoints' ? other.nextCursor : nextCursor;
        for (const cursor of ['', 'x', '0', 'bnVsbA', '%', '€', String(foreign)]) {
          await refused(list({ cursor }), 'input', { path: 'cursor' });
        }
      }
    },
  },
  {
    id: 'pages/turns',
    promise:
      'Any part of a history can be read in either order, across moves and forks, and is a slice of the whole.',
    async check(bench) {
      const sessions = await bench.open({ maxTurnsPerSession: 10_000 });
      const { branches, manager } = sessions;
      const { sessionId: rootId } = await sessionOf(sessions, 3);
      await manager.rewind(rootId, { toSeq: 2 });
      await addTexts(manager, rootId, texts(120, 'r'));
      const { sessionId } = await branches.fork(rootId, 'b', { atSeq: 110 });
      await addTexts(manager, sessionId, texts(3, 'b'));
      await manager.rewind(sessionId, { toSeq: 105 });
      await addTexts(manager, sessionId, texts(130, 'c'));
      const whole = await turnsOf(manager, sessionId);
      assert.deepEqual(
        whole.map(({ content }) => content),
        ['t1', 't2', ...texts(103, 'r'), ...texts(130, 'c')],
      );
      for (const from of [1, 2, 3, 104, 105, 106, 235]) {
        for (const to of [from, from + 1, from + 101, 235, 999]) {
          const part = whole.slice(from - 1, to);
          assert.deepEqual(await turnsOf(manager, sessionId, { from, to }), part);
          const down = await turnsOf(manager, sessionId, { from, to, order: 'desc' });
          assert.deepEqual(down, part.toReversed());
          const few = await turnsOf(manager, sessionId, { from, to, limit: 2 });
          assert.deepEqual(few, part.slice(0, 2));
          const last = await turnsOf(manager, sessionId, { from, to, limit: 2, order: 'desc' });
          assert.deepEqual(last, part.toReversed().slice(0, 2));
        }
      }
      for (const n of [0, 1, 101, 235, 1_000]) {
        const { turns } = await manager.getState(sessionId, { turns: n });
        assert.deepEqual(turns, n === 0 ? [] : whole.slice(-n));
      }
    },
  },
  {
    id: 'pages/reading-goes-on',
    promise:
      'A reading goes on in the history that it began with, whatever is added or moved meanwhile.',
    async check(bench) {
      const sessions = await bench.open({ maxTurnsPerSession: 10_000 });
      const { manager } = sessions;
      const { sessionId } = await manager.create({ userId: 'u' });
      for (const n of range(0, 2)) {
        await manager.addTurns(
          sessionId,
          texts(90, `${n}:`).map((text) => say(text)),
        );
      }
      const whole = await turnsOf(manager, sessionId);
      const seen: unknown[] = [];
      for await (const turn of manager.turns(sessionId)) {
        seen.push(turn);
        if (turn.seq === 50) await manager.rewind(sessionId, { toSeq: 20 });
        if (turn.seq === 60) await addTexts(manager, sessionId, texts(20, 'other'));
        if (turn.seq === 150) await manager.undo(sessionId);
        if (turn.seq === 151) await manager.addTurn(sessionId, say('late'));
      }
      assert.deepEqual(seen, whole);
      assert.equal((await textsOf(manager, sessionId)).length, 271);
    },
  },
];
