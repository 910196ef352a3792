import assert from 'node:assert/strict';
import type { FeedItem, Point, VariablesVersion } from '@lexigram/ai-session/store';
import type { Law } from '../law.ts';
import { inOneTick, range } from '../many.ts';
import { commitTo, done, rawSession, rawStart, rawTimeline, rawTurn } from '../raw.ts';

const event = { type: 'metadata' } as const;

/** The port: staging, and reads in pages. */
export const portReadLaws: readonly Law[] = [
  {
    id: 'port-reads/staging',
    promise:
      'A timeline filled out of sight changes nothing of the session until the pointer swings to its end.',
    async check({ store }) {
      await rawStart(store, ['a', 'b']);
      const commit = commitTo(store);
      const base = { timelineId: 's.1', seq: 1, turnId: 'a', tokens: 0, cost: 0, variables: null };
      done(await commit({ timeline: rawTimeline('s', 2, base) }));
      for (const n of range(1, 3)) {
        const turns = [rawTurn(`x${n}`, { tokens: n, cost: 10 * n })];
        const result = done(await commit({ append: { timelineId: 's.2', turns } }));
        assert.deepEqual(result.turns[0]?.seq, 1 + n);
        assert.deepEqual(result.session.head, { timelineId: 's.1', seq: 2, turnId: 'b' });
        assert.equal(result.session.revision, 1);
      }
      done(await commit({ append: { turns: [rawTurn('c')] } }));
      const feed = await store.feed('s', { after: 0, limit: 100 });
      assert.ok(feed.every((item) => item.type !== 'turn' || item.turn.timelineId === 's.1'));
      const to = { ...base, timelineId: 's.2', seq: 4, turnId: 'x3', tokens: 6, cost: 60 };
      const swung = done(await commit({ pointer: { move: 'merge', to }, event: { type: 'move' } }));
      assert.deepEqual(swung.session.head, { timelineId: 's.2', seq: 4, turnId: 'x3' });
      assert.deepEqual([swung.session.tokens, swung.session.cost], [6, 60]);
      assert.deepEqual(done(await commit({ append: { turns: [rawTurn('y')] } })).turns[0]?.seq, 5);
    },
  },
  {
    id: 'port-reads/copies',
    promise:
      'Merged copies keep their turnId and their origin, and do not count as written here nor as repeats.',
    async check({ store }) {
      await rawStart(store, ['a']);
      const commit = commitTo(store);
      const { lifetime } = (await store.session('s')) ?? assert.fail();
      const origin = { timelineId: 'b.1', seq: 7 };
      done(await commit({ timeline: rawTimeline('s', 2) }));
      const turns = ['a', 'x'].map((text) =>
        rawTurn(text, { chosen: false, tokens: 5, cost: 5, origin }),
      );
      done(await commit({ append: { timelineId: 's.2', turns } }));
      const to = { timelineId: 's.2', seq: 2, turnId: 'x', tokens: 10, cost: 10, variables: null };
      const { session } = done(
        await commit({ pointer: { move: 'merge', to }, event: { type: 'move' } }),
      );
      assert.deepEqual(session.lifetime, lifetime);
      const found = await store.findTurns('a', ['s']);
      assert.deepEqual(found.map((turn) => [turn.timelineId, turn.seq, turn.origin]).toSorted(), [
        ['s.1', 1, null],
        ['s.2', 1, origin],
      ]);
      done(await commit({ append: { turns: [rawTurn('x')] } }));
      assert.equal((await commit({ append: { turns: [rawTurn('x')] } })).refused, 'repeat');
    },
  },
  {
    id: 'port-reads/find-turns',
    promise:
      'Turns are found by their id on the timelines of the sessions that are asked for, and on no others.',
    async check({ store }) {
      for (const id of ['s', 't', 'S', 's-']) {
        done(await store.create(rawSession(id, { turns: [rawTurn('same'), rawTurn(`in ${id}`)] })));
      }
      const where = async (turnId: string, ids: readonly string[]): Promise<readonly string[]> =>
        (await store.findTurns(turnId, ids)).map((turn) => turn.timelineId).toSorted();
      assert.deepEqual(await where('same', ['s', 't']), ['s.1', 't.1']);
      assert.deepEqual(await where('same', ['S']), ['S.1']);
      assert.deepEqual(await where('in t', ['s', 't', 'unknown']), ['t.1']);
      assert.deepEqual(await where('in t', ['s']), []);
      assert.deepEqual(await where('SAME', ['s', 't']), []);
      assert.deepEqual(await where('same', []), []);
    },
  },
  {
    id: 'port-reads/turn-pages',
    promise:
      'The turns of segments are read in order of seq from either end, at most as many as asked for.',
    async check({ store }) {
      for (const id of ['s', 't']) {
        const turns = range(1, 9).map((n) => rawTurn(`${id}${n}`, { tokens: n, cost: n }));
        done(await store.create(rawSession(id, { turns })));
      }
      const segments = [
        { timelineId: 's.1', from: 2, to: 4 },
        { timelineId: 't.1', from: 5, to: 9 },
      ];
      const expected = ['s2', 's3', 's4', 't5', 't6', 't7', 't8', 't9'];
      for (const limit of [1, 2, 3, 4, 8, 100]) {
        const up = await store.turns(segments, { limit, order: 'asc' });
        assert.deepEqual(
          up.map(({ turnId }) => turnId),
          expected.slice(0, limit),
        );
        const down = await store.turns(segments, { limit, order: 'desc' });
        assert.deepEqual(
          down.map(({ turnId }) => turnId),
          expected.toReversed().slice(0, limit),
        );
      }
      const [row] = await store.turns([{ timelineId: 's.1', from: 3, to: 99 }], {
        limit: 1,
        order: 'asc',
      });
      assert.deepEqual([row?.seq, row?.tokens, row?.cost, row?.revision], [3, 6, 6, 1]);
      assert.equal(row?.body, rawTurn('s3').body);
      assert.deepEqual(await store.turns([], { limit: 5, order: 'asc' }), []);
      const none = [{ timelineId: 'unknown.1', from: 1, to: 9 }];
      assert.deepEqual(await store.turns(none, { limit: 5, order: 'asc' }), []);
    },
  },
  {
    id: 'port-reads/list-pages',
    promise:
      'Sessions are listed newest first, at most as many as asked for, from after the one that is named.',
    async check({ clock, store }) {
      const ids = ['a', 'B', 'c', '_', '-', '0'];
      for (const id of ids) {
        done(await store.create(rawSession(id)));
        if (id !== 'B') clock.advance(1);
      }
      const whole = await store.list({ limit: 100 });
      const made = whole.map(({ createdAt }) => createdAt);
      assert.deepEqual(
        made,
        made.toSorted((a, b) => b - a),
      );
      assert.deepEqual(whole.map(({ sessionId }) => sessionId).toSorted(), ids.toSorted());
      for (const limit of [1, 2, 5, 6, 7]) {
        for (const [i, { createdAt, sessionId }] of whole.entries()) {
          const after = { createdAt, sessionId };
          const page = await store.list({ limit, after });
          assert.deepEqual(page, whole.slice(i + 1, i + 1 + limit), `${limit} after ${sessionId}`);
        }
      }
    },
  },
  {
    id: 'port-reads/timelines',
    promise:
      'Timelines come in the order asked for, null where there is none, and as they were opened.',
    async check({ store }) {
      await rawStart(store, ['a']);
      const variables = { timelineId: 's.1', position: 3, revision: 4 };
      const base = { timelineId: 's.1', seq: 1, turnId: 'a', tokens: 2, cost: 3, variables };
      const lineage = [
        { from: 1, timelineId: 's.1', level: 1 },
        { from: 9, timelineId: 's.1', level: 0 },
      ];
      const timeline = { timelineId: 's.2', base, lineage, chunks: { 1: lineage }, root: 's.1' };
      const pointer = { move: 'rewind', to: { ...base, timelineId: 's.2' } } as const;
      done(await commitTo(store)({ timeline, pointer, event: { type: 'move' } }));
      const [second, none, first, again] = await store.timelines(['s.2', 's.3', 's.1', 's.2']);
      assert.deepEqual(second, { ...timeline, previous: 's.1' });
      assert.deepEqual(again, second);
      assert.equal(none, null);
      assert.deepEqual(first, { ...rawTimeline('s', 1), previous: null });
      assert.deepEqual(await store.timelines([]), []);
    },
  },
  {
    id: 'port-reads/starting-at',
    promise:
      "A session's timelines that start at a point are found by it: those of that session and that very point, in order of their numbers, in pages.",
    async check({ store }) {
      const point = (timelineId: string, seq: number): Point => ({
        timelineId,
        seq,
        turnId: seq === 0 ? null : `t${seq}`,
        tokens: 0,
        cost: 0,
        variables: null,
      });
      const bases = [point('s.1', 1), point('s.1', 2), point('s.2', 2), point('s.1', 0)];
      await rawStart(store, ['t1', 't2', 't3']);
      for (const n of range(2, 13)) {
        const timeline = rawTimeline('s', n, bases[(n - 2) % 4] ?? null);
        done(await commitTo(store)({ timeline }));
      }
      const timeline = rawTimeline('b', 1, bases[1] ?? null);
      done(await store.create(rawSession('b', { timeline })));
      const found = async (
        id: string,
        base: { readonly timelineId: string; readonly seq: number },
        page: { readonly after?: number; readonly limit: number } = { limit: 100 },
      ): Promise<readonly string[]> =>
        (await store.startingAt(id, base, page)).map((row) => row.timelineId);
      assert.deepEqual(await found('s', point('s.1', 1)), ['s.2', 's.6', 's.10']);
      assert.deepEqual(await found('s', point('s.1', 2)), ['s.3', 's.7', 's.11']);
      assert.deepEqual(await found('s', point('s.2', 2)), ['s.4', 's.8', 's.12']);
      assert.deepEqual(await found('s', point('s.1', 0)), ['s.5', 's.9', 's.13']);
      assert.deepEqual(await found('b', point('s.1', 2)), ['b.1']);
      assert.deepEqual(await found('b', point('s.1', 1)), []);
      assert.deepEqual(await found('s', point('s.1', 3)), []);
      assert.deepEqual(await found('unknown', point('s.1', 1)), []);
      assert.deepEqual(await found('s', point('s.1', 1), { limit: 2 }), ['s.2', 's.6']);
      assert.deepEqual(await found('s', point('s.1', 1), { after: 2, limit: 1 }), ['s.6']);
      assert.deepEqual(await found('s', point('s.1', 1), { after: 10, limit: 9 }), []);
      assert.deepEqual(await found('b', point('s.1', 2), { after: 1, limit: 9 }), []);
      const [row] = await store.startingAt('s', point('s.1', 1), { limit: 1 });
      assert.deepEqual([row], await store.timelines(['s.2']));
    },
  },
  {
    id: 'port-reads/variables',
    promise:
      'The variables at a version are those, or the newest before it on the same timeline, or none.',
    async check({ store }) {
      await rawStart(store, ['a']);
      const commit = commitTo(store);
      const at: VariablesVersion[] = [];
      const patch = (n: number) => ({
        patch: { set: new Map([['n', String(n)]]), unset: [], maxBytes: 1_000, maxKeys: 9 },
      });
      for (const n of range(1, 40)) {
        const alone = n % 2 === 0;
        const turn = { append: { turns: [rawTurn(`t${n}`)] } };
        const { session } = done(await commit({ ...patch(n), ...(alone ? { event } : turn) }));
        assert.ok(session.variables !== null);
        at.push(session.variables);
      }
      for (const [i, version] of at.entries()) {
        const found = await store.variables(version);
        assert.deepEqual(found, { at: version, json: `{"n":${i + 1}}` });
        const later = { ...version, revision: version.revision + 0.5 };
        assert.deepEqual((await store.variables(later))?.at, version);
      }
      const first = at[0] as VariablesVersion;
      assert.equal(await store.variables({ ...first, position: 0, revision: 0 }), null);
      assert.equal(await store.variables({ ...first, timelineId: 's.9' }), null);
    },
  },
  {
    id: 'port-reads/feed-pages',
    promise:
      'A feed that is read on from the last revision seen, in pages of any size, leaves nothing out.',
    async check({ store }) {
      await rawStart(store, ['a', 'b', 'c']);
      const commit = commitTo(store);
      const checkpoints = { every: 1, max: 99 };
      for (const n of range(1, 4)) {
        const turns = range(1, n).map((i) => rawTurn(`${n}:${i}`));
        done(await commit({ append: { turns, checkpoints } }));
        done(await commit({ event }));
      }
      const names = (items: readonly FeedItem[]): readonly string[] =>
        items.map(
          (item) => `${item.revision} ${item.type === 'turn' ? item.turn.turnId : item.type}`,
        );
      const whole = names(await store.feed('s', { after: 0, limit: 1_000 }));
      assert.equal(whole.length, 3 + 1 + 2 * (1 + 2 + 3 + 4) + 4);
      for (const limit of [1, 2, 3, 5, 100]) {
        const seen: string[] = [];
        for (let after = 0; ; ) {
          const page = await store.feed('s', { after, limit });
          if (page.length === 0) break;
          seen.push(...names(page));
          assert.ok(seen.length <= whole.length, 'nothing is shown twice');
          after = page.at(-1)?.revision ?? after;
          const before = page.filter((item) => item.revision < after).length;
          assert.ok(before < limit, 'a page is longer than asked for only to end a revision');
        }
        assert.deepEqual(seen, whole, `in pages of ${limit}`);
      }
    },
  },
  {
    id: 'port-reads/feed-across-moves',
    promise:
      'A feed goes on across moves: each revision has its turns and entries, on whichever timeline they lie, in pages of any size.',
    async check({ store }) {
      await rawStart(store, ['a', 'b', 'c']);
      const commit = commitTo(store);
      const at = (timelineId: string, seq: number, turnId: string) => ({
        timelineId,
        seq,
        turnId,
        tokens: 0,
        cost: 0,
        variables: null,
      });
      const names: string[] = ['1 a', '1 b', '1 c', '1 created'];
      const ends = new Map([['s.1', at('s.1', 3, 'c')]]);
      let current = 's.1';
      let timelines = 1;
      let revision = 1;
      const add = async (...turnIds: string[]): Promise<void> => {
        const turns = turnIds.map((id) => rawTurn(id));
        const { session } = done(await commit({ append: { turns } }));
        ends.set(current, at(current, session.head.seq, session.head.turnId ?? ''));
        revision += 1;
        names.push(...turnIds.map((id) => `${revision} ${id}`));
      };
      const moveTo = async (timelineId: string, fresh: boolean): Promise<void> => {
        const base = at('s.1', 1, 'a');
        const to = fresh ? { ...base, timelineId } : (ends.get(timelineId) ?? assert.fail());
        const timeline = { ...rawTimeline('s', timelines, base), root: 's.1' };
        const pointer = { move: fresh ? 'rewind' : 'undo', to } as const;
        const more = fresh ? { timeline } : {};
        done(await commit({ ...more, pointer, event: { type: 'move' } }));
        current = timelineId;
        if (fresh) ends.set(timelineId, to);
        revision += 1;
        names.push(`${revision} move`);
      };
      for (const n of range(1, 12)) {
        await add(`x${n}`);
        if (n % 3 === 0) await add(`y${n}`, `z${n}`);
        if (n % 4 === 0) done(await commit({ event }));
        if (n % 4 === 0) names.push(`${++revision} metadata`);
        const back = [...ends.keys()][n % ends.size] as string;
        if (n % 2 === 1 && back !== current) await moveTo(back, false);
        else await moveTo(`s.${++timelines}`, true);
      }
      for (const limit of [1, 2, 3, 5, 100]) {
        for (const from of [0, 1, Math.floor(revision / 2), revision - 1, revision]) {
          const seen: string[] = [];
          for (let after = from; ; ) {
            const page = await store.feed('s', { after, limit });
            if (page.length === 0) break;
            seen.push(
              ...page.map(
                (item) => `${item.revision} ${item.type === 'turn' ? item.turn.turnId : item.type}`,
              ),
            );
            after = page.at(-1)?.revision ?? after;
          }
          const expected = names.filter((name) => Number.parseInt(name, 10) > from);
          assert.deepEqual(seen, expected, `after ${from} in pages of ${limit}`);
        }
      }
    },
  },
  {
    id: 'port-reads/feed-while-written',
    promise: 'Who reads a feed on while many write to the session misses nothing of it.',
    async check({ scale, store }) {
      await rawStart(store, ['a']);
      const commit = commitTo(store);
      const rounds = scale(60, 15);
      let writing = true;
      const writers = inOneTick(4, async (i) => {
        for (const n of range(1, rounds)) {
          done(await commit({ append: { turns: [rawTurn(`${i}.${n}`)] } }));
          done(await commit({ event }));
        }
      }).then(({ lost }) => {
        writing = false;
        return lost;
      });
      const seen: number[] = [];
      let after = 1;
      for (let last = false; !last; ) {
        last = !writing;
        for (;;) {
          const page = await store.feed('s', { after, limit: 50 });
          if (page.length === 0) break;
          for (const { revision } of page) {
            assert.ok(revision <= after + 1, `${revision} came after ${after}`);
            after = revision;
            seen.push(revision);
          }
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.deepEqual(await writers, []);
      assert.deepEqual(seen, range(2, 1 + 8 * rounds));
    },
  },
  {
    id: 'port-reads/feed-gap',
    promise:
      'Each revision has an item until it is collected; what was collected is missed by its revision, and what is left stays in order.',
    async check({ clock, store }) {
      await rawStart(store, ['a']);
      const commit = commitTo(store);
      done(await commit({ event }));
      done(await commit({ append: { turns: [rawTurn('b')] } }));
      done(await commit({ event }));
      const revisions = async (after: number, limit: number): Promise<readonly number[]> =>
        (await store.feed('s', { after, limit })).map((item) => item.revision);
      assert.deepEqual(await revisions(0, 99), [1, 1, 2, 3, 4]);
      clock.advance(1_000);
      done(await commit({ event }));
      done(await commit({ append: { turns: [rawTurn('c')] } }));
      await store.collect({ before: clock.now(), limit: 100 });
      assert.deepEqual(await revisions(0, 99), [1, 3, 5, 6]);
      assert.deepEqual(await revisions(1, 1), [3]);
      assert.deepEqual(await revisions(3, 1), [5]);
      assert.deepEqual(await revisions(4, 99), [5, 6]);
    },
  },
];
