import assert from 'node:assert/strict';
import type { Law } from '../law.ts';
import { inOneTick, range } from '../many.ts';
import { commitTo, done, rawStart, refusal } from '../raw.ts';

const lease = { kind: 'lease', key: 'l' };

/** The word "record": a small versioned value owned by a session. */
export const portRecordLaws: readonly Law[] = [
  {
    id: 'port-records/versions',
    promise:
      "A record's version is 1 at first and goes up by one with each write; sameVersion keeps it.",
    async check({ clock, store }) {
      await rawStart(store, []);
      const commit = commitTo(store);
      const made = clock.now();
      const versions: unknown[] = [];
      for (const [value, more] of [
        ['1', { dueInMs: 100 }],
        ['2', { dueInMs: 200 }],
        ['3', { dueInMs: 300, sameVersion: true }],
        ['4', {}],
      ] as const) {
        done(await commit({ records: [{ ...lease, value, ...more }] }));
        const record = await store.record('s', 'lease', 'l');
        versions.push([record?.value, record?.version, record?.dueAt, record?.createdAt]);
        clock.advance(10);
      }
      assert.deepEqual(versions, [
        ['1', 1, made + 100, made],
        ['2', 2, made + 10 + 200, made],
        ['3', 2, made + 20 + 300, made],
        ['4', 3, null, made],
      ]);
      done(await commit({ records: [{ ...lease, delete: true }] }));
      assert.equal(await store.record('s', 'lease', 'l'), null);
    },
  },
  {
    id: 'port-records/guards',
    promise: 'A guard holds if the record is at that version, or absent if it says null.',
    async check({ store }) {
      await rawStart(store, []);
      const commit = commitTo(store);
      const write = (version: number | null) =>
        commit({
          guards: { records: [{ ...lease, version }] },
          records: [{ ...lease, value: '{}' }],
        });
      refusal(await write(1), 'expected');
      done(await write(null));
      refusal(await write(null), 'expected');
      done(await write(1));
      assert.equal(refusal(await write(1), 'expected').what, 'record');
      done(await write(2));
    },
  },
  {
    id: 'port-records/lease',
    promise:
      'Of many that take a lease in the same tick one gets it, free or past its time, and none a millisecond before.',
    async check({ clock, store }) {
      await rawStart(store, []);
      for (const round of range(0, 9)) {
        const version = round === 0 ? null : 0;
        const { won } = await inOneTick(8, (i) =>
          store.commit('s', {
            guards: { records: [{ ...lease, version, due: true }] },
            records: [{ ...lease, value: String(i), dueInMs: 1_000 }],
          }),
        );
        const holders = won.flatMap((result, i) => (result.refused === undefined ? [i] : []));
        assert.equal(holders.length, 1);
        const record = await store.record('s', 'lease', 'l');
        assert.deepEqual([record?.value, record?.version], [String(holders[0]), round + 1]);
        clock.advance(999);
        const guards = { records: [{ ...lease, version: null, due: true }] };
        refusal(await store.commit('s', { guards }), 'expected');
        clock.advance(1);
      }
    },
  },
  {
    id: 'port-records/fencing',
    promise:
      "A lease's version is a fencing token: who lost the lease writes nothing more, not even turns.",
    async check({ clock, store }) {
      await rawStart(store, ['a']);
      const commit = commitTo(store);
      done(await commit({ records: [{ ...lease, value: 'a', dueInMs: 500 }] }));
      const asHolder = (version: number, text: string) =>
        commit({
          guards: { records: [{ ...lease, version }] },
          append: {
            turns: [{ turnId: text, chosen: true, body: '{}', tokens: 0, cost: 0, at: null }],
          },
          records: [{ ...lease, value: text, dueInMs: 500, sameVersion: true }],
        });
      done(await asHolder(1, 'mine'));
      clock.advance(500);
      done(
        await commit({
          guards: { records: [{ ...lease, version: 0, due: true }] },
          records: [{ ...lease, value: 'b', dueInMs: 500 }],
        }),
      );
      refusal(await asHolder(1, 'late'), 'expected');
      done(await asHolder(2, 'theirs'));
      assert.equal((await store.session('s'))?.head.turnId, 'theirs');
      assert.deepEqual(await store.findTurns('late', ['s']), []);
    },
  },
  {
    id: 'port-records/counts',
    promise:
      'A count guard holds under concurrency: at most so many records of a kind, those written here counted.',
    async check({ store }) {
      await rawStart(store, []);
      const commit = commitTo(store);
      const add = (key: string) =>
        commit({
          guards: { counts: [{ kind: 'branch', max: 3 }] },
          records: [{ kind: 'branch', key, value: '{}' }],
        });
      const { won } = await inOneTick(8, (i) => add(`b${i}`));
      const made = won.filter((result) => result.refused === undefined);
      assert.equal(made.length, 3);
      const keys = (await store.records('s', 'branch', { limit: 9 })).map(({ key }) => key);
      assert.equal(keys.length, 3);
      const full = refusal(await add('more'), 'cap');
      assert.deepEqual([full.cap, full.max, full.actual], ['count', 3, 4]);
      done(await add(keys[0] ?? ''));
      done(await commit({ records: [{ kind: 'branch', key: keys[0] ?? '', delete: true }] }));
      done(await add('more'));
    },
  },
  {
    id: 'port-records/pages',
    promise: 'Records of one kind are read in the order of their keys, from either end, in pages.',
    async check({ store }) {
      await rawStart(store, []);
      const keys = ['0', '00', '10', '9', 'A', 'Z', '_', 'a', 'a-', 'aa', 'z'];
      const shuffled = [
        ...keys.filter((_, i) => i % 2 === 1),
        ...keys.filter((_, i) => i % 2 === 0),
      ];
      const written: string[] = [];
      for (const key of shuffled) {
        const records = [{ kind: 'k', key, value: `"${key}"` }];
        done(await commitTo(store)({ records: [...records, { kind: 'other', key, value: '1' }] }));
        written.push(key);
        const now = (await store.records('s', 'k', { limit: 100 })).map((record) => record.key);
        assert.deepEqual(
          now,
          keys.filter((one) => written.includes(one)),
        );
      }
      const read = async (order: 'asc' | 'desc', limit: number): Promise<readonly string[]> => {
        const all: string[] = [];
        for (let after: string | undefined; ; after = all.at(-1)) {
          const from = after === undefined ? {} : { after };
          const page = await store.records('s', 'k', { limit, order, ...from });
          assert.ok(page.length <= limit && all.length <= keys.length);
          if (page.length === 0) return all;
          for (const { key, kind, value } of page) {
            assert.deepEqual([kind, value], ['k', `"${key}"`]);
            all.push(key);
          }
        }
      };
      for (const limit of [1, 3, 11, 100]) {
        assert.deepEqual(await read('asc', limit), keys);
        assert.deepEqual(await read('desc', limit), keys.toReversed());
      }
      assert.deepEqual(await store.records('s', 'none', { limit: 5 }), []);
    },
  },
];
