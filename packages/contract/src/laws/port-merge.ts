import assert from 'node:assert/strict';
import type { Commit, Point } from '@lexigram/ai-session/store';
import type { Law } from '../law.ts';
import { range } from '../many.ts';
import { commitTo, done, rawStart, rawTimeline, rawTurn, refusal } from '../raw.ts';
import { picture } from '../reading.ts';

const page = { limit: 99, order: 'asc' } as const;
const base: Point = {
  timelineId: 's.1',
  seq: 2,
  turnId: 'b',
  tokens: 0,
  cost: 0,
  variables: null,
};

/** The port: what a merge builds out of sight, and how it comes into sight. */
export const portMergeLaws: readonly Law[] = [
  {
    id: 'port-merge/copies-of-one-id',
    promise: 'Copies of turns that have the same id stand beside each other on one timeline.',
    async check({ store }) {
      await rawStart(store, ['a']);
      const commit = commitTo(store);
      const turns = range(1, 3).map((seq) =>
        rawTurn('a', { chosen: false, origin: { timelineId: 'b.1', seq } }),
      );
      done(await commit({ timeline: rawTimeline('s', 2) }));
      done(await commit({ append: { timelineId: 's.2', turns } }));
      const rows = await store.turns([{ timelineId: 's.2', from: 1, to: 9 }], page);
      assert.deepEqual(
        rows.map(({ origin, seq }) => [origin?.seq, seq]),
        range(1, 3).map((n) => [n, n]),
      );
      assert.equal((await store.findTurns('a', ['s'])).length, 4);
      done(await commit({ timeline: rawTimeline('s', 3) }));
      done(await commit({ append: { timelineId: 's.3', turns } }));
      assert.equal((await store.findTurns('a', ['s'])).length, 7);
    },
  },
  {
    id: 'port-merge/in-one-commit',
    promise:
      'One commit opens a timeline, fills it and swings the pointer to its end; copies do not count as written, and the feed has the move alone.',
    async check({ store }) {
      await rawStart(store, ['a', 'b', 'c']);
      const before = (await store.session('s')) ?? assert.fail();
      const turns = range(1, 2).map((n) =>
        rawTurn(`x${n}`, { tokens: n, origin: { timelineId: 'b.1', seq: n } }),
      );
      const to = { ...base, timelineId: 's.2', seq: 4, turnId: 'x2', tokens: 3 };
      const { session, turns: answered } = done(
        await commitTo(store)({
          timeline: rawTimeline('s', 2, base),
          append: { timelineId: 's.2', turns },
          pointer: { move: 'merge', to },
          patch: { set: new Map([['v', '1']]), unset: [], maxBytes: 99, maxKeys: 9 },
          event: { type: 'move' },
        }),
      );
      assert.deepEqual(
        answered.map(({ seq }) => seq),
        [3, 4],
      );
      assert.deepEqual(session.head, { timelineId: 's.2', seq: 4, turnId: 'x2' });
      assert.deepEqual([session.tokens, session.lifetime], [3, before.lifetime]);
      assert.deepEqual(session.variables?.position, 8);
      const feed = await store.feed('s', { after: before.revision, limit: 99 });
      assert.deepEqual(
        feed.map(({ revision, type }) => [revision, type]),
        [[before.revision + 1, 'move']],
      );
    },
  },
  {
    id: 'port-merge/rebase',
    promise:
      'A timeline out of sight takes another base: its turns follow there, seqs and sums moved on; the commit is judged first, and swings the pointer in the same effect.',
    async check({ store }) {
      await rawStart(store, ['a', 'b', 'c', 'd']);
      const commit = commitTo(store);
      const start = (await store.session('s')) ?? assert.fail();
      done(await commit({ timeline: rawTimeline('s', 2, base) }));
      const turns = range(1, 5).map((n) =>
        rawTurn(`x${n}`, { tokens: n, cost: 2 * n, origin: { timelineId: 'b.1', seq: n } }),
      );
      done(await commit({ append: { timelineId: 's.2', turns: turns.slice(0, 3) } }));
      done(await commit({ append: { timelineId: 's.2', turns: turns.slice(3) } }));
      done(await commit({ append: { turns: [rawTurn('e', { tokens: 7, cost: 9 })] } }));
      const variables = { timelineId: 's.1', position: 3, revision: 4 };
      const head = { ...base, seq: 5, turnId: 'e', tokens: 7, cost: 9, variables };
      const point = { ...base, timelineId: 'b.1', seq: 9, turnId: 'x9', variables };
      const merged = [
        { sessionId: 'b', point, turns: 5, standing: [2, 5] },
        { sessionId: 'c', point: base, turns: 0, standing: [] },
      ];
      const moved = { ...rawTimeline('s', 2, head), merged };
      const to = { ...head, timelineId: 's.2', seq: 10, turnId: 'x5', tokens: 22, cost: 39 };
      const swing: Commit = {
        rebase: moved,
        pointer: { move: 'merge', to },
        event: { type: 'move' },
      };
      const before = await store.timelines(['s.2']);
      refusal(await commit({ ...swing, guards: { revision: start.revision } }), 'expected');
      assert.deepEqual(await store.timelines(['s.2']), before);
      const own = [{ timelineId: 's.2', from: 1, to: 99 }];
      assert.deepEqual(
        (await store.turns(own, page)).map(({ seq }) => seq),
        range(3, 7),
      );
      const { session } = done(await commit(swing));
      assert.deepEqual(session.head, { timelineId: 's.2', seq: 10, turnId: 'x5' });
      assert.deepEqual([session.tokens, session.cost, session.moves], [22, 39, 1]);
      assert.deepEqual(session.variables, variables);
      assert.deepEqual(await store.timelines(['s.2']), [{ ...moved, previous: 's.1' }]);
      const rows = await store.turns(own, page);
      assert.deepEqual(
        rows.map((row) => [row.seq, row.turnId, row.tokens, row.cost, row.origin?.seq]),
        [
          [6, 'x1', 8, 11, 1],
          [7, 'x2', 10, 15, 2],
          [8, 'x3', 13, 21, 3],
          [9, 'x4', 17, 29, 4],
          [10, 'x5', 22, 39, 5],
        ],
      );
      assert.deepEqual(await store.startingAt('s', base, { limit: 9 }), []);
      const starting = await store.startingAt('s', head, { limit: 9 });
      assert.deepEqual(
        starting.map(({ timelineId }) => timelineId),
        ['s.2'],
      );
      const [found] = await store.findTurns('x4', ['s']);
      assert.equal(found?.seq, 9);
      const next = done(await commit({ append: { turns: [rawTurn('f', { tokens: 1 })] } }));
      assert.deepEqual([next.turns[0]?.seq, next.session.tokens], [11, 23]);
    },
  },
  {
    id: 'port-merge/previous',
    promise:
      'A timeline that takes another base goes back, on undo, to the one that was current then.',
    async check({ store }) {
      await rawStart(store, ['a', 'b']);
      const commit = commitTo(store);
      const event = { type: 'move' } as const;
      done(await commit({ timeline: rawTimeline('s', 2, base) }));
      done(
        await commit({
          timeline: rawTimeline('s', 3, base),
          pointer: { move: 'rewind', to: { ...base, timelineId: 's.3' } },
          event,
        }),
      );
      done(
        await commit({
          rebase: rawTimeline('s', 2, base),
          pointer: { move: 'merge', to: { ...base, timelineId: 's.2' } },
          event,
        }),
      );
      const [row] = await store.timelines(['s.2']);
      assert.equal(row?.previous, 's.3');
    },
  },
  {
    id: 'port-merge/caps',
    promise:
      'A pointer is judged by the caps that it names, on the history where it goes; one that is full ends the session, and what was first written there counts.',
    async check({ store }) {
      await rawStart(store, ['a', 'b']);
      const commit = commitTo(store);
      const before = (await store.session('s')) ?? assert.fail();
      const end = { ...base, timelineId: 's.2', seq: 4, turnId: 'x2', tokens: 3 };
      done(await commit({ timeline: rawTimeline('s', 2, base) }));
      const turns = range(1, 2).map((n) => rawTurn(`x${n}`, { chosen: false, tokens: n }));
      done(await commit({ append: { timelineId: 's.2', turns } }));
      const wrote = { turns: 2, tokens: 3, cost: 0 };
      const swing = (turns: number, written: number): Commit => ({
        pointer: {
          move: 'merge',
          to: end,
          wrote,
          cap: { turns, written, onFull: 'close' },
        },
        onEnd: [{ kind: 'note', key: 'end', value: '' }],
        event: { type: 'move' },
      });
      const untouched = await picture(store, 's');
      const full = refusal(await commit(swing(3, 99)), 'cap');
      assert.deepEqual([full.cap, full.max, full.actual], ['turns', 3, 4]);
      const written = refusal(await commit(swing(99, 3)), 'cap');
      assert.deepEqual([written.cap, written.max, written.actual], ['written', 3, 4]);
      assert.deepEqual(await picture(store, 's'), untouched);
      const { session } = done(await commit(swing(4, 4)));
      assert.deepEqual([session.status, session.closedReason], ['closed', 'turn_limit']);
      assert.deepEqual(session.lifetime, {
        turns: before.lifetime.turns + 2,
        tokens: before.lifetime.tokens + 3,
        cost: before.lifetime.cost,
      });
      assert.notEqual(await store.record('s', 'note', 'end'), null);
    },
  },
  {
    id: 'port-merge/note',
    promise: 'An operation made again is answered with the note that came with it the first time.',
    async check({ store }) {
      await rawStart(store, ['a']);
      const commit = commitTo(store);
      const operation = { id: 'op', digest: 'd', keepMs: 1_000 };
      const event = { type: 'metadata' } as const;
      const noted = { ...operation, note: '{"ü":"\\u0001"}' };
      done(await commit({ operation: noted, event }));
      const again = done(await commit({ operation: { ...operation, note: 'another' }, event }));
      assert.deepEqual([again.replayed, again.note], [true, noted.note]);
      done(await commit({ operation: { ...operation, id: 'plain' }, event }));
      const plain = done(await commit({ operation: { ...operation, id: 'plain' }, event }));
      assert.deepEqual([plain.replayed, plain.note], [true, undefined]);
    },
  },
];
