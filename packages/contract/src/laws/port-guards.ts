import assert from 'node:assert/strict';
import { limits } from '@lexigram/ai-session';
import type { Commit, CommitResult } from '@lexigram/ai-session/store';
import type { Law } from '../law.ts';
import { inOneTick, range } from '../many.ts';
import { commitTo, done, rawSession, rawStart, rawTimeline, rawTurn, refusal } from '../raw.ts';
import { picture } from '../reading.ts';
import { refused } from '../refusals.ts';

const lease = { kind: 'lease', key: 'l' };
const event = { type: 'metadata' } as const;
const never = { ttlMs: null, maxAgeMs: null };

/** What a commit would write if it were not refused: something of everything. */
const everything: Commit = {
  append: { turns: [rawTurn('new'), rawTurn('newer')] },
  patch: { set: new Map([['v', '1']]), unset: [], maxBytes: 1_000, maxKeys: 10 },
  checkpoint: { label: 'fresh', metadata: null, max: 10 },
  records: [
    { kind: 'note', key: 'n', value: '1' },
    { kind: 'metadata', key: '', value: '{"m":2}' },
  ],
  event,
  expiry: { ttlMs: 1, maxAgeMs: null },
};

/** The port: guards are judged in one order, and a refusal writes nothing. */
export const portGuardLaws: readonly Law[] = [
  {
    id: 'port-guards/order',
    promise:
      'Guards are judged in one order: unknown or foreign, repeat, ended or suspended, expected, cap.',
    async check({ store }) {
      await rawStart(store, ['a', 'b']);
      const commit = commitTo(store);
      done(await commit({ status: { to: 'suspended' }, event }));
      const guards = {
        owner: { tenantId: null, userId: 'v' },
        status: ['active'],
        seq: 9,
      } as const;
      const cap = { turns: 1, written: 1, onFull: 'close' } as const;
      const all: Commit = { guards, append: { turns: [rawTurn('a')], cap } };
      refusal(await commit(all), 'unknown');
      const owner = { tenantId: null, userId: 'u' };
      const own: Commit = { ...all, guards: { ...guards, owner } };
      const repeat = refusal(await commit(own), 'repeat');
      assert.deepEqual([repeat.turns[0]?.seq, repeat.turns[0]?.turnId], [1, 'a']);
      const fresh: Commit = { ...own, append: { turns: [rawTurn('c')], cap } };
      refusal(await commit(fresh), 'status');
      const open: Commit = { ...fresh, guards: { owner, seq: 9 } };
      assert.equal(refusal(await commit(open), 'expected').what, 'seq');
      const last: Commit = { ...open, guards: { owner, seq: 2 } };
      assert.equal(refusal(await commit(last), 'cap').cap, 'turns');
    },
  },
  {
    id: 'port-guards/nothing-written',
    promise: 'A commit that is refused, for whichever reason, writes nothing of what it brings.',
    async check({ store }) {
      await rawStart(store, ['a', 'b']);
      const commit = commitTo(store);
      const checkpoint = { label: 'taken', metadata: null, max: 10 };
      done(await commit({ checkpoint, event: { type: 'checkpoint' } }));
      const operation = { id: 'op', digest: 'one', keepMs: 1_000 };
      done(await commit({ operation }));
      const head = { timelineId: 's.1', seq: 2, turnId: 'not b' };
      const cap = { turns: 3, written: 3, onFull: 'close' } as const;
      const { append } = everything;
      const variants: readonly (readonly [string, Commit])[] = [
        ['operation', { operation: { ...operation, digest: 'two' } }],
        ['repeat', { append: { turns: [rawTurn('b'), rawTurn('c')] } }],
        ['status', { guards: { status: ['closed'] } }],
        ['expected', { guards: { head } }],
        ['expected', { guards: { seq: 1 } }],
        ['expected', { guards: { revision: 1 } }],
        ['expected', { guards: { moves: 1 } }],
        ['expected', { guards: { records: [{ ...lease, version: 1 }] } }],
        ['expected', { timeline: rawTimeline('s', 7), append: { turns: [] } }],
        ['label', { checkpoint }],
        ['cap', { append: { turns: append?.turns ?? [], cap } }],
        ['cap', { guards: { counts: [{ kind: 'note', max: 0 }] } }],
        ['cap', { checkpoint: { label: null, metadata: null, max: 1 } }],
        [
          'cap',
          { patch: { set: new Map([['v', '"12345"']]), unset: [], maxBytes: 5, maxKeys: 9 } },
        ],
      ];
      const before = await picture(store, 's');
      for (const [reason, variant] of variants) {
        const result = await commit({ ...everything, ...variant });
        assert.equal(result.refused, reason, JSON.stringify(variant));
        assert.deepEqual(await picture(store, 's'), before, reason);
        assert.equal(await store.record('s', 'note', 'n'), null, reason);
      }
      done(await commit(everything));
    },
  },
  {
    id: 'port-guards/no-move-on-repeat',
    promise:
      'A move whose turn is there already is refused and opens no timeline, so that the next one can.',
    async check({ store }) {
      await rawStart(store, ['a', 'b']);
      const commit = commitTo(store);
      const to = { seq: 1, turnId: 'a', tokens: 0, cost: 0, variables: null };
      const timeline = rawTimeline('s', 2, { ...to, timelineId: 's.1' });
      const move = (turn: string): Commit => ({
        timeline,
        pointer: { move: 'edit', to: { ...to, timelineId: 's.2' } },
        append: { turns: [rawTurn(turn)] },
        event: { type: 'move' },
      });
      const before = await picture(store, 's');
      refusal(await commit(move('b')), 'repeat');
      assert.deepEqual(await picture(store, 's'), before);
      assert.deepEqual(await store.timelines(['s.2']), [null]);
      done(await commit(move('c')));
      assert.deepEqual(await store.timelines(['s.2']), [{ ...timeline, previous: 's.1' }]);
    },
  },
  {
    id: 'port-guards/whole',
    promise: 'One commit does all that it brings in one revision.',
    async check({ store }) {
      await rawStart(store, ['a']);
      const commit = { ...everything, operation: { id: 'op', digest: 'd', keepMs: 1_000 } };
      const { checkpoints, replayed, session, turns } = done(await commitTo(store)(commit));
      assert.equal(replayed, false);
      assert.equal(done(await commitTo(store)(commit)).replayed, true);
      assert.equal(session.revision, 2);
      assert.deepEqual(
        turns.map(({ seq }) => seq),
        [2, 3],
      );
      assert.deepEqual(
        checkpoints.map(({ label }) => label),
        ['fresh'],
      );
      const row = await store.session('s');
      assert.deepEqual(row, { ...session, metadata: '{"m":2}' });
      assert.equal((await store.record('s', 'note', 'n'))?.value, '1');
      assert.ok(session.variables !== null);
      assert.equal((await store.variables(session.variables))?.json, '{"v":1}');
    },
  },
  {
    id: 'port-guards/quiet',
    promise:
      'Leases, staging and operations are quiet: no revision, time, expiry or feed; and are allowed on ended sessions.',
    async check({ clock, store }) {
      await rawStart(store, ['a']);
      const commit = commitTo(store);
      done(await commit({ expiry: { ttlMs: 60_000, maxAgeMs: null }, event }));
      const before = await picture(store, 's');
      clock.advance(1_000);
      const quiet: readonly Commit[] = [
        { records: [{ ...lease, value: '1', dueInMs: 5_000 }] },
        { records: [{ ...lease, value: '2', sameVersion: true }] },
        { records: [{ ...lease, delete: true }] },
        { timeline: rawTimeline('s', 2) },
        { append: { timelineId: 's.2', turns: [rawTurn('staged')] } },
        { operation: { id: 'op', digest: 'd', keepMs: 1_000 } },
      ];
      for (const one of quiet) done(await commit(one));
      const { timelines, ...row } = (await store.session('s')) ?? assert.fail();
      assert.equal(timelines, 2);
      const { session: then, ...rest } = before as { readonly session: object };
      assert.deepEqual({ ...row, timelines: 1 }, then);
      const { session: _, ...now } = (await picture(store, 's')) as { readonly session: object };
      assert.deepEqual(now, rest);
      done(await commit({ status: { to: 'closed' }, event }));
      done(await commit({ records: [{ ...lease, value: '3' }] }));
      done(await commit({ append: { timelineId: 's.2', turns: [rawTurn('more')] } }));
      done(await commit({ operation: { id: 'again', digest: 'd', keepMs: 1_000 } }));
    },
  },
  {
    id: 'port-guards/one-mover',
    promise:
      'Of those that open the next timeline, or move from the same number of moves, exactly one wins.',
    async check({ store }) {
      await rawStart(store, ['a', 'b']);
      const base = { timelineId: 's.1', seq: 1, turnId: 'a', tokens: 0, cost: 0, variables: null };
      for (const round of range(0, 9)) {
        const timeline = { ...rawTimeline('s', 2 + round, base), root: 's.1' };
        const race = await inOneTick(8, (i) =>
          store.commit('s', {
            timeline,
            pointer: { move: 'rewind', to: { ...base, timelineId: timeline.timelineId } },
            ...(i % 2 === 0 ? { guards: { moves: round } } : {}),
            event: { type: 'move' },
          }),
        );
        const made = race.won.filter((result) => result.refused === undefined);
        assert.equal(made.length, 1);
        const lost = race.won.filter((result: CommitResult) => result.refused !== undefined);
        for (const result of lost) refusal(result, 'expected');
        const row = await store.session('s');
        assert.deepEqual([row?.moves, row?.timelines], [round + 1, round + 2]);
      }
      assert.equal((await store.records('s', 'move', { limit: 99 })).length, 10);
    },
  },
  {
    id: 'port-guards/on-end',
    promise:
      'Records for the end are written by the commit that ends the session, by its status or by its cap, and by no other.',
    async check({ store }) {
      await rawStart(store, ['a']);
      const commit = commitTo(store);
      const onEnd = [{ kind: 'owed', key: 'c', value: '1' }];
      const cap = { turns: 3, written: 30, onFull: 'close' } as const;
      done(await commit({ append: { turns: [rawTurn('b')], cap }, onEnd, expiry: never }));
      done(await commit({ status: { to: 'suspended' }, onEnd, event }));
      done(await commit({ status: { to: 'active' }, onEnd, event }));
      assert.equal(await store.record('s', 'owed', 'c'), null);
      const full = done(await commit({ append: { turns: [rawTurn('c')], cap }, onEnd }));
      assert.equal(full.session.status, 'closed');
      assert.equal(full.session.closedReason, 'turn_limit');
      assert.equal((await store.record('s', 'owed', 'c'))?.version, 1);
    },
  },
  {
    id: 'port-guards/closed-store',
    promise: 'After close a store refuses every call as unavailable, with reason closed.',
    async check({ store }) {
      await rawStart(store, ['a']);
      await store.close();
      const page = { limit: limits.page };
      const at = { timelineId: 's.1', position: 0, revision: 0 };
      const calls: Record<string, () => Promise<unknown>> = {
        create: () => store.create(rawSession('t')),
        commit: () => store.commit('s', { event }),
        erase: () => store.erase('s', { limit: 1 }),
        collect: () => store.collect({ before: 0, limit: 1 }),
        session: () => store.session('s'),
        timelines: () => store.timelines(['s.1']),
        turns: () =>
          store.turns([{ timelineId: 's.1', from: 1, to: 1 }], { ...page, order: 'asc' }),
        findTurns: () => store.findTurns('a', ['s']),
        variables: () => store.variables(at),
        record: () => store.record('s', 'metadata', ''),
        records: () => store.records('s', 'metadata', page),
        list: () => store.list(page),
        due: () => store.due(page),
        feed: () => store.feed('s', { after: 0, ...page }),
        report: () => store.report({ groupBy: 'day', ...page }),
        changes: () => store.changes({ after: null, ...page }),
        watch: async () => store.watch(() => undefined),
      };
      for (const call of Object.values(calls)) {
        await refused(call(), 'unavailable', { reason: 'closed' });
      }
    },
  },
];
