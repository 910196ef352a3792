import assert from 'node:assert/strict';
import type { DueItem, RecordRow } from '@lexigram/ai-session/store';
import type { Law } from '../law.ts';
import { inOneTick, range } from '../many.ts';
import { commitTo, done, rawSession, rawStart, rawTimeline, rawTurn, refusal } from '../raw.ts';

const event = { type: 'metadata' } as const;
const ttl = (ttlMs: number) => ({ ttlMs, maxAgeMs: null });

function names(items: readonly DueItem[]): readonly string[] {
  return items
    .map((item) => `${item.due} ${item.sessionId}${item.due === 'record' ? item.record.key : ''}`)
    .toSorted();
}

/** The port: what the sweep works with, erasing, and tombstones. */
export const portSweepLaws: readonly Law[] = [
  {
    id: 'port-sweep/expired-once',
    promise:
      'A session is marked as expired by one sweeper only, and only once its time has run out.',
    async check({ clock, store }) {
      done(await store.create(rawSession('s', { expiry: ttl(1_000) })));
      const mark = () =>
        store.commit('s', { status: { to: 'expired' }, event: { type: 'expired' } });
      refusal(await mark(), 'status');
      clock.advance(999);
      done(await store.commit('s', { event, expiry: ttl(1_000) }));
      clock.advance(1);
      refusal(await mark(), 'status');
      clock.advance(999);
      const { won } = await inOneTick(8, mark);
      assert.equal(won.filter((result) => result.refused === undefined).length, 1);
      const feed = await store.feed('s', { after: 0, limit: 10 });
      assert.equal(feed.filter(({ type }) => type === 'expired').length, 1);
      assert.equal((await store.session('s'))?.status, 'expired');
    },
  },
  {
    id: 'port-sweep/due',
    promise:
      'Due is what has run out: sessions that nobody changed in time, tombstones with work left, records past their time.',
    async check({ clock, store }) {
      for (const id of ['early', 'touched', 'late', 'ever', 'gone', 'closed']) {
        const expiry = ttl(id === 'late' ? 5_000 : 1_000);
        await store.create(
          rawSession(id, { expiry: id === 'ever' ? { ttlMs: null, maxAgeMs: null } : expiry }),
        );
      }
      await store.erase('gone', { limit: 10 });
      await store.commit('closed', { status: { to: 'closed' }, event });
      const record = { kind: 'lease', key: ':l', value: '1' };
      await store.commit('ever', { records: [{ ...record, dueInMs: 1_000 }] });
      await store.commit('ever', { records: [{ ...record, key: ':m', dueInMs: 5_000 }] });
      await store.commit('ever', { records: [{ ...record, key: ':n' }] });
      assert.deepEqual(names(await store.due({ limit: 10 })), ['erase gone']);
      clock.advance(999);
      await store.commit('touched', { event, expiry: ttl(1_000) });
      clock.advance(1);
      const due = await store.due({ limit: 10 });
      assert.deepEqual(names(due), ['erase gone', 'expiry early', 'record ever:l']);
      assert.equal((await store.due({ limit: 2 })).length, 2);
      await store.commit('early', { status: { to: 'expired' }, event: { type: 'expired' } });
      await store.erase('gone', { keep: [], limit: 10 });
      await store.commit('ever', { records: [{ kind: 'lease', key: ':l', delete: true }] });
      assert.deepEqual(names(await store.due({ limit: 10 })), []);
      clock.advance(999);
      assert.deepEqual(names(await store.due({ limit: 10 })), ['expiry touched']);
    },
  },
  {
    id: 'port-sweep/due-looks-on',
    promise:
      'However many sessions were changed in time, due finds the one behind them that ran out.',
    async check({ clock, store }) {
      for (const n of range(1, 9)) {
        done(await store.create(rawSession(`s${n}`, { expiry: ttl(1_000) })));
        clock.advance(1);
      }
      clock.advance(900);
      for (const n of range(1, 8)) done(await store.commit(`s${n}`, { event, expiry: ttl(1_000) }));
      clock.advance(99);
      assert.deepEqual(names(await store.due({ limit: 2 })), ['expiry s9']);
    },
  },
  {
    id: 'port-sweep/due-of-a-kind',
    promise: 'Due tells the records of one kind alone, also those whose time is yet to come.',
    async check({ clock, store }) {
      for (const id of ['a', 'b']) {
        done(await store.create(rawSession(id, { expiry: ttl(1) })));
        const records = [3_000, 1_000, 2_000, null].map((dueInMs, i) => ({
          kind: 'k',
          key: `${i}`,
          value: '1',
          dueInMs: dueInMs === null ? null : dueInMs + (id === 'b' ? 1 : 0),
        }));
        const other = { kind: 'other', key: 'o', value: '1', dueInMs: 500 };
        done(await store.commit(id, { records: [...records, other] }));
      }
      clock.advance(1_000);
      const due = async (limit: number, withinMs?: number): Promise<readonly string[]> => {
        const page = { kind: 'k', limit, ...(withinMs === undefined ? {} : { withinMs }) };
        return (await store.due(page)).map(
          (item) => item.sessionId + (item.due === 'record' ? item.record.key : item.due),
        );
      };
      assert.deepEqual(await due(9), ['a1']);
      assert.deepEqual(await due(9, 1_000), ['a1', 'b1', 'a2']);
      assert.deepEqual(await due(9, 9_000), ['a1', 'b1', 'a2', 'b2', 'a0', 'b0']);
      assert.deepEqual(await due(2, 9_000), ['a1', 'b1']);
    },
  },
  {
    id: 'port-sweep/erase-staged',
    promise:
      'A timeline out of sight is erased in batches as long as its record stands, and nothing else of the session.',
    async check({ clock, store }) {
      await rawStart(store, ['a', 'b']);
      const staged = { kind: 'staged', key: '2', value: '', dueInMs: 1_000 };
      const turns = range(1, 5).map((n) =>
        rawTurn(`c${n}`, { origin: { timelineId: 'x.1', seq: n } }),
      );
      done(
        await commitTo(store)({
          timeline: rawTimeline('s', 2),
          append: { timelineId: 's.2', turns },
          records: [staged],
        }),
      );
      const before = await store.session('s');
      const erase = (version: number | null, timelineId = 's.2', due = true) =>
        store.erase('s', {
          staged: { timelineId, guard: { kind: 'staged', key: '2', version, due } },
          limit: 2,
        });
      const found = async (): Promise<number> => {
        const page = { limit: 9, order: 'asc' } as const;
        return (await store.turns([{ timelineId: 's.2', from: 1, to: 9 }], page)).length;
      };
      assert.equal((await erase(null)).found, false);
      assert.equal((await erase(7)).found, false);
      clock.advance(1_000);
      assert.equal((await erase(7, 's.1')).found, false);
      let rounds = 0;
      for (; rounds < 9; rounds++) {
        const left = await found();
        const { buried, done: over, found: there, parent } = await erase(1, 's.2', false);
        assert.deepEqual([buried, there, parent], [null, true, null]);
        assert.ok(left - (await found()) <= 2);
        if (over) break;
      }
      assert.ok(rounds >= 2 && rounds < 9, `${rounds} rounds`);
      assert.equal(await found(), 0);
      assert.deepEqual(await store.timelines(['s.2']), [null]);
      assert.equal(await store.record('s', 'staged', '2'), null);
      assert.equal((await erase(1)).found, false);
      assert.deepEqual(await store.session('s'), before);
      assert.equal((await store.findTurns('a', ['s'])).length, 1);
    },
  },
  {
    id: 'port-sweep/erase-in-batches',
    promise:
      'An erase deletes at most as many turns at a time as it is told, and says when nothing is left.',
    async check({ store }) {
      await rawStart(
        store,
        range(1, 7).map((n) => `t${n}`),
      );
      const left = async (): Promise<number> => {
        const segment = { timelineId: 's.1', from: 1, to: 99 };
        return (await store.turns([segment], { limit: 99, order: 'asc' })).length;
      };
      const { buried: _, ...first } = await store.erase('s', { limit: 2 });
      assert.deepEqual(first, { found: true, done: false, parent: null });
      assert.equal(await store.session('s'), null);
      let turns = await left();
      for (const _ of range(1, 20)) {
        const result = await store.erase('s', { keep: [], limit: 2 });
        const now = await left();
        assert.ok(result.found && turns - now <= 2, `${turns} turns, then ${now}`);
        turns = now;
        if (result.done) break;
      }
      assert.equal(turns, 0);
      assert.deepEqual(await store.timelines(['s.1']), [null]);
      const unknown = await store.erase('unknown', { keep: [], limit: 2 });
      assert.deepEqual(unknown, { found: false, done: true, parent: null, buried: null });
    },
  },
  {
    id: 'port-sweep/buried-once',
    promise:
      'Of erases of one session at once exactly one answers that it set the tombstone, with the session as it was and the revision of its end.',
    async check({ clock, store }) {
      for (const round of range(1, 5)) {
        const id = `b${round}`;
        done(await store.create(rawSession(id)));
        const before = (await store.session(id)) ?? assert.fail();
        clock.advance(7);
        const race = await inOneTick(4, (i) =>
          store.erase(id, i % 2 === 0 ? { limit: 10 } : { limit: 10, keep: [] }),
        );
        const buried = race.won.flatMap((result) => result.buried ?? []);
        const { metadata: _, ...head } = before;
        const at = { revision: before.revision + 1, updatedAt: before.updatedAt + 7 };
        assert.deepEqual(buried, [{ ...head, ...at }]);
        assert.equal((await store.feed(id, { after: 0, limit: 9 })).at(-1)?.revision, at.revision);
        assert.equal((await store.erase(id, { limit: 10 })).buried, null);
      }
    },
  },
  {
    id: 'port-sweep/erase-keeps',
    promise:
      'An erase keeps of each timeline the turns and variables up to what is reached, and nothing after.',
    async check({ store }) {
      await rawStart(store, []);
      const patch = (n: number) => ({
        patch: { set: new Map([['n', String(n)]]), unset: [], maxBytes: 99, maxKeys: 9 },
      });
      for (const n of range(1, 5)) {
        done(await commitTo(store)({ append: { turns: [rawTurn(`t${n}`)] }, ...patch(n) }));
      }
      for (const n of [6, 7]) done(await commitTo(store)({ ...patch(n), event }));
      await store.erase('s', { limit: 10 });
      // The later of two patches that stand alone after one turn is not reached, nor what came after.
      const alone = { timelineId: 's.1', seq: 5, variables: { position: 11, revision: 7 } };
      await store.erase('s', { keep: [alone], limit: 10 });
      const end = { timelineId: 's.1', position: 99, revision: 99 };
      assert.equal((await store.variables(end))?.json, '{"n":6}');
      const variables = { position: 6, revision: Number.MAX_SAFE_INTEGER };
      const keep = [{ timelineId: 's.1', seq: 3, variables }];
      assert.deepEqual(await store.erase('s', { keep, limit: 10 }), {
        found: true,
        done: true,
        parent: null,
        buried: null,
      });
      const segment = { timelineId: 's.1', from: 1, to: 99 };
      const rows = await store.turns([segment], { limit: 99, order: 'asc' });
      assert.deepEqual(
        rows.map(({ turnId }) => turnId),
        ['t1', 't2', 't3'],
      );
      assert.equal((await store.variables(end))?.json, '{"n":3}');
      assert.equal((await store.timelines(['s.1']))[0]?.timelineId, 's.1');
    },
  },
  {
    id: 'port-sweep/tombstone',
    promise:
      'A deleted session is unknown to every commit but one for its tombstone, and that one writes records only.',
    async check({ store }) {
      await rawStart(store, ['a']);
      const commit = commitTo(store);
      const hold: Pick<RecordRow, 'kind' | 'key' | 'value'> = {
        kind: 'hold',
        key: 'b',
        value: '{}',
      };
      done(await commit({ records: [hold, { kind: 'note', key: 'n', value: '1' }] }));
      await store.erase('s', { limit: 10 });
      const { revision } = (await store.feed('s', { after: 0, limit: 9 }))[0] ?? assert.fail();
      refusal(await commit({ records: [{ ...hold, key: 'c' }] }), 'unknown');
      refusal(await commit({ append: { turns: [rawTurn('b')] } }), 'unknown');
      refusal(await store.create(rawSession('s')), 'exists');
      assert.equal(await store.record('s', 'note', 'n'), null);
      assert.equal((await store.record('s', 'hold', 'b'))?.value, '{}');
      const guards = { tombstone: true, records: [{ kind: 'hold', key: 'c', version: null }] };
      const turns = [rawTurn('b')];
      const write = { guards, records: [{ ...hold, key: 'c' }], append: { turns }, event };
      done(await commit(write));
      refusal(await commit(write), 'expected');
      assert.equal((await store.record('s', 'hold', 'c'))?.version, 1);
      assert.deepEqual(await store.findTurns('b', ['s']), []);
      const feed = await store.feed('s', { after: 0, limit: 9 });
      assert.deepEqual(
        feed.map((item) => item.revision),
        [revision],
      );
      assert.equal(await store.session('s'), null);
    },
  },
  {
    id: 'port-sweep/window',
    promise:
      'A tombstone stands for its window; when it is collected its id is free, and nothing younger goes.',
    async check({ clock, store }) {
      await rawStart(store, ['a']);
      done(await store.create(rawSession('other', { turns: [rawTurn('a')] })));
      clock.advance(1_000);
      await store.erase('s', { limit: 10 });
      await store.erase('s', { keep: [], limit: 10 });
      const erased = clock.now();
      await store.collect({ before: erased - 1, limit: 100 });
      refusal(await store.create(rawSession('s')), 'exists');
      clock.advance(1_000);
      await store.collect({ before: erased + 1, limit: 100 });
      assert.deepEqual(await store.feed('s', { after: 0, limit: 9 }), []);
      done(await store.create(rawSession('s')));
      assert.equal((await store.session('other'))?.head.seq, 1);
      assert.equal((await store.findTurns('a', ['other'])).length, 1);
    },
  },
  {
    id: 'port-sweep/held-tombstone',
    promise: 'A tombstone that holds turns for others is not collected, however old it is.',
    async check({ clock, store }) {
      await rawStart(store, ['a', 'b']);
      done(await commitTo(store)({ records: [{ kind: 'hold', key: 'x', value: '{}' }] }));
      await store.erase('s', { limit: 10 });
      const keep = [{ timelineId: 's.1', seq: 1, variables: null }];
      await store.erase('s', { keep, limit: 10 });
      clock.advance(1e9);
      await store.collect({ before: clock.now(), limit: 100 });
      assert.equal((await store.findTurns('a', ['s'])).length, 1);
      assert.equal((await store.record('s', 'hold', 'x'))?.version, 1);
      refusal(await store.create(rawSession('s')), 'exists');
    },
  },
  {
    id: 'port-sweep/collect-in-batches',
    promise: 'Collecting drops at most as many rows at a time as it is told, and comes to an end.',
    async check({ clock, store }) {
      await rawStart(store, ['a']);
      for (const n of range(1, 9)) {
        done(
          await commitTo(store)({ operation: { id: `op${n}`, digest: 'd', keepMs: 10 }, event }),
        );
      }
      clock.advance(1_000);
      let rounds = 0;
      for (; rounds < 50; rounds++) {
        const dropped = await store.collect({ before: clock.now(), limit: 3 });
        assert.ok(dropped <= 3, `${dropped} rows at once`);
        if (dropped === 0) break;
      }
      assert.ok(rounds >= 6 && rounds < 50);
      assert.equal(await store.record('s', 'operation', 'op1'), null);
      assert.equal((await store.session('s'))?.revision, 10);
      assert.equal((await store.findTurns('a', ['s'])).length, 1);
    },
  },
];
