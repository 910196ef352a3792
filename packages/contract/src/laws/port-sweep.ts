import assert from 'node:assert/strict';
import type { DueItem, RecordRow } from '@lexigram/ai-session/store';
import type { Law } from '../law.ts';
import { inOneTick, range } from '../many.ts';
import { commitTo, done, rawSession, rawStart, rawTurn, refusal } from '../raw.ts';

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
