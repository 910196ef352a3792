import assert from 'node:assert/strict';
import type { SessionStore } from '@lexigram/ai-session';
import type { Budget, CommitResult, NewTurn, Owner } from '@lexigram/ai-session/store';
import type { Law } from '../law.ts';
import { inOneTick } from '../many.ts';
import { done, rawSession, rawTimeline, rawTurn, refusal } from '../raw.ts';

function costing(text: string, cost: number): NewTurn {
  const usage = { inputTokens: 1, outputTokens: 0, totalTokens: 1 };
  const body = JSON.stringify({ role: 'assistant', content: text, usage, cost });
  return rawTurn(text, { body, tokens: 1, cost });
}

function spend(
  store: SessionStore,
  sessionId: string,
  budget: Partial<Budget>,
  ...turns: readonly NewTurn[]
): Promise<CommitResult> {
  return store.commit(sessionId, {
    append: { turns, budget: { session: null, owner: null, ...budget } },
  });
}

/** The port: budgets. */
export const portBudgetLaws: readonly Law[] = [
  {
    id: 'port-budget/session',
    promise:
      'The turn that spends the rest of a session’s budget is kept, and what comes after is refused, whatever it costs; what a move left behind stays spent.',
    async check({ store }) {
      done(await store.create(rawSession('s')));
      const budget = { session: 100 };
      done(await spend(store, 's', budget, costing('a', 99)));
      done(await spend(store, 's', budget, costing('b', 1_000)));
      const refused = refusal(await spend(store, 's', budget, rawTurn('c')), 'cap');
      assert.deepEqual([refused.cap, refused.max, refused.actual], ['sessionCost', 100, 1_099]);
      done(await store.commit('s', { timeline: rawTimeline('s', 2) }));
      const to = { timelineId: 's.2', seq: 0, turnId: null, tokens: 0, cost: 0, variables: null };
      done(await store.commit('s', { pointer: { move: 'rewind', to }, event: { type: 'move' } }));
      assert.equal((await store.session('s'))?.cost, 0);
      refusal(await spend(store, 's', budget, rawTurn('c')), 'cap');
      assert.equal((await store.session('s'))?.head.seq, 0);
      done(await spend(store, 's', { session: 1_100 }, costing('c', 1)));
      refusal(await spend(store, 's', { session: 1_100 }, rawTurn('d')), 'cap');
      done(await spend(store, 's', {}, rawTurn('d')));
    },
  },
  {
    id: 'port-budget/owner',
    promise:
      'A budget of an owner counts all the owner’s sessions, branches and deleted ones too, and nobody else’s.',
    async check({ clock, store }) {
      const owner: Owner = { tenantId: 'acme', userId: 'u' };
      const others: readonly Owner[] = [
        { tenantId: null, userId: 'u' },
        { tenantId: 'acme-corp', userId: 'u' },
        { tenantId: 'acme', userId: 'U' },
      ];
      for (const [i, other] of others.entries()) {
        done(
          await store.create(rawSession(`o${i}`, { owner: other, turns: [costing('x', 1_000)] })),
        );
      }
      for (const id of ['s', 't', 'w']) done(await store.create(rawSession(id, { owner })));
      const budget = { owner: 100 };
      done(await spend(store, 's', budget, costing('a', 30)));
      done(await spend(store, 't', budget, costing('a', 30)));
      const point = { timelineId: 's.1', seq: 1, turnId: 'a', tokens: 1, cost: 30 };
      const timeline = rawTimeline('branch', 1, { ...point, variables: null });
      const parent = { sessionId: 's', branchName: 'b', forkSeq: 1 };
      done(await store.create(rawSession('branch', { owner, timeline, parent })));
      done(await spend(store, 'branch', budget, costing('b', 30)));
      await store.erase('t', { limit: 10 });
      await store.erase('t', { keep: [], limit: 10 });
      done(await spend(store, 'w', budget, costing('c', 9)));
      done(await spend(store, 'w', budget, costing('d', 1)));
      for (const id of ['s', 'branch', 'w']) {
        const refused = refusal(await spend(store, id, budget, rawTurn('late')), 'cap');
        assert.deepEqual([refused.cap, refused.max, refused.actual], ['ownerCost', 100, 100]);
      }
      clock.advance(1e9);
      for (let rest = 9; (await store.collect({ before: clock.now(), limit: 100 })) > 0; rest--) {
        assert.ok(rest > 0, 'a collection comes to an end');
      }
      refusal(await spend(store, 's', budget, rawTurn('late')), 'cap');
      done(await spend(store, 's', { owner: 101 }, costing('e', 1)));
      refusal(await spend(store, 's', { owner: 101 }, rawTurn('late')), 'cap');
      for (const i of others.keys())
        done(await spend(store, `o${i}`, { owner: 1_001 }, rawTurn('y')));
    },
  },
  {
    id: 'port-budget/out-of-sight',
    promise:
      'What a session wrote out of sight is spent once, from when it comes into sight at the latest.',
    async check({ store }) {
      const owner: Owner = { tenantId: null, userId: 'u' };
      for (const id of ['s', 't']) done(await store.create(rawSession(id, { owner })));
      const budget = { session: 100, owner: 100 };
      done(await spend(store, 't', budget, costing('a', 10)));
      done(await store.commit('s', { timeline: rawTimeline('s', 2) }));
      const append = { timelineId: 's.2', turns: [costing('summary', 40)] };
      done(await store.commit('s', { append }));
      done(await spend(store, 't', budget, costing('b', 10)));
      assert.equal((await store.report({ groupBy: 'day', limit: 1 })).total.cost, 60);
      const place = { timelineId: 's.2', seq: 1, turnId: 'summary', tokens: 1, cost: 40 };
      const to = { ...place, variables: null };
      const wrote = { turns: 1, tokens: 1, cost: 40 };
      const pointer = { move: 'merge', to, wrote } as const;
      done(await store.commit('s', { pointer, event: { type: 'move' } }));
      done(await spend(store, 't', budget, costing('c', 39)));
      done(await spend(store, 's', budget, costing('d', 1)));
      for (const id of ['s', 't']) {
        const refused = refusal(await spend(store, id, budget, rawTurn('late')), 'cap');
        assert.deepEqual([refused.cap, refused.actual], ['ownerCost', 100]);
      }
      assert.equal((await store.report({ groupBy: 'day', limit: 1 })).total.cost, 100);
    },
  },
  {
    id: 'port-budget/same-tick',
    promise:
      'Of writers in the same tick, on one session or on many of one owner, as many get in as the budget leaves room for.',
    async check({ scale, store }) {
      for (let round = scale(60, 6); round > 0; round--) {
        const owner = { tenantId: null, userId: `u${round}` };
        const ids = [1, 2, 3, 4].map((n) => `s${round}-${n}`);
        for (const id of ids) done(await store.create(rawSession(id, { owner })));
        const hot = `hot${round}`;
        done(await store.create(rawSession(hot, { owner: { ...owner, tenantId: 'hot' } })));
        const many = await inOneTick(16, (i) =>
          spend(store, ids[i % 4] ?? '', { owner: 50 }, costing(`t${i}`, 10)),
        );
        const one = await inOneTick(16, (i) =>
          spend(store, hot, { session: 50 }, costing(`t${i}`, 10)),
        );
        for (const { won } of [many, one]) {
          assert.equal(won.filter((result) => result.refused === undefined).length, 5);
          assert.equal(won.filter((result) => result.refused === 'cap').length, 11);
        }
      }
    },
  },
  {
    id: 'port-budget/order',
    promise:
      'A budget is judged with the caps: after ids, repeats, the status and what is expected; nothing of what it refuses is written.',
    async check({ store }) {
      done(await store.create(rawSession('s')));
      const budget = { session: 10, owner: 10 };
      done(await spend(store, 's', budget, costing('a', 10)));
      const append = { turns: [costing('b', 1)], budget };
      refusal(await store.commit('unknown', { append }), 'unknown');
      refusal(await spend(store, 's', budget, costing('a', 10)), 'repeat');
      refusal(await store.commit('s', { append, guards: { status: ['suspended'] } }), 'status');
      refusal(await store.commit('s', { append, guards: { seq: 7 } }), 'expected');
      const before = await store.session('s');
      const record = { kind: 'note', key: 'n', value: '1' };
      const event = { type: 'metadata' } as const;
      refusal(await store.commit('s', { append, records: [record], event }), 'cap');
      assert.deepEqual(await store.session('s'), before);
      assert.equal(await store.record('s', 'note', 'n'), null);
      assert.deepEqual(await store.findTurns('b', ['s']), []);
      assert.equal((await store.report({ groupBy: 'day', limit: 1 })).total.turns, 1);
    },
  },
];
