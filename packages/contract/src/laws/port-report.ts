import assert from 'node:assert/strict';
import type { SessionStore } from '@lexigram/ai-session';
import type {
  NewTurn,
  Owner,
  ReportPage,
  ReportQuery,
  UsageSums,
} from '@lexigram/ai-session/store';
import type { Law } from '../law.ts';
import { inOneTick, range } from '../many.ts';
import { commitTo, done, rawSession, rawTimeline, rawTurn } from '../raw.ts';

const dayMs = 86_400_000;
const none: UsageSums = {
  turns: 0,
  calls: 0,
  unpriced: 0,
  tokens: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  cost: 0,
};

/** A turn of an assistant that cost something. */
function paidTurn(
  text: string,
  cost: number,
  fields: object = {},
  more: Partial<NewTurn> = {},
): NewTurn {
  const usage = { inputTokens: 2 * cost, outputTokens: cost, totalTokens: 3 * cost };
  const body = JSON.stringify({ role: 'assistant', content: text, usage, cost, ...fields });
  return rawTurn(text, { body, tokens: 3 * cost, cost, ...more });
}

/** What one paid turn adds up to, several of them, or as many as are told. */
function paid(...costs: readonly number[]): UsageSums {
  const cost = costs.reduce((sum, one) => sum + one, 0);
  const tokens = { tokens: 3 * cost, inputTokens: 2 * cost, outputTokens: cost };
  return { ...none, ...tokens, turns: costs.length, cost };
}

type Groups = Readonly<Record<string, UsageSums>>;

async function groupsOf(store: SessionStore, query: Partial<ReportQuery>): Promise<Groups> {
  const page = await store.report({ groupBy: 'model', limit: 1_000, ...query });
  return byKey(page);
}

function byKey({ groups }: ReportPage): Groups {
  return Object.fromEntries(groups.map(({ key, sums }) => [String(key), sums]));
}

async function totalOf(store: SessionStore, query: Partial<ReportQuery> = {}): Promise<UsageSums> {
  return (await store.report({ groupBy: 'day', limit: 1, ...query })).total;
}

async function start(
  store: SessionStore,
  sessionId: string,
  owner: Owner,
  turns: readonly NewTurn[],
): Promise<void> {
  done(await store.create(rawSession(sessionId, { owner, turns })));
}

const u: Owner = { tenantId: null, userId: 'u' };

/** The port: what turns used, added up in the store. */
export const portReportLaws: readonly Law[] = [
  {
    id: 'port-report/groups',
    promise:
      'Usage is added up exactly by day, model, agent and user, and each turn stands in one group.',
    async check({ clock, store }) {
      const v = { tenantId: 'acme', userId: 'v' };
      await start(store, 's', u, [
        paidTurn('a', 1, { model: 'm1', agent: 'x' }),
        paidTurn('b', 10, { model: 'm2', agent: 'x' }),
        rawTurn('c'),
      ]);
      clock.advance(dayMs);
      await start(store, 't', v, [paidTurn('a', 100, { model: 'm1' })]);
      const extra = { cacheReadTokens: 7, cacheWriteTokens: 5, reasoningTokens: 3 };
      const usage = { inputTokens: 50, outputTokens: 4, ...extra, totalTokens: 60 };
      const commit = { append: { turns: [paidTurn('d', 1_000, { model: 'm2', usage })] } };
      done(await store.commit('t', commit));
      const last = { ...none, ...usage, turns: 1, tokens: 60, cost: 1_000 };
      const { totalTokens: _, ...cached } = last as UsageSums & { totalTokens: number };
      const plain = { ...none, turns: 1 };
      assert.deepEqual(await groupsOf(store, { groupBy: 'model' }), {
        null: plain,
        m1: paid(1, 100),
        m2: add(paid(10), cached),
      });
      assert.deepEqual(await groupsOf(store, { groupBy: 'agent' }), {
        null: add(paid(100), cached, plain),
        x: paid(1, 10),
      });
      assert.deepEqual(await groupsOf(store, { groupBy: 'day' }), {
        '2026-03-01': add(paid(1, 10), plain),
        '2026-03-02': add(paid(100), cached),
      });
      const users = await store.report({ groupBy: 'user', limit: 10 });
      assert.deepEqual(users.groups, [
        { key: 'u', tenantId: null, sums: add(paid(1, 10), plain) },
        { key: 'v', tenantId: 'acme', sums: add(paid(100), cached) },
      ]);
      assert.deepEqual(users.total, add(paid(1, 10, 100), cached, plain));
    },
  },
  {
    id: 'port-report/at-once',
    promise: 'A report has every turn that was acknowledged before it, also between other reports.',
    async check({ scale, store }) {
      await start(store, 's', u, []);
      for (const n of range(1, scale(200, 12))) {
        const turns = [paidTurn(`t${n}`, 1), paidTurn(`u${n}`, 1)];
        done(await commitTo(store)({ append: { turns: n % 3 === 0 ? turns : turns.slice(1) } }));
        const { lifetime } = (await store.session('s')) ?? assert.fail();
        const { cost, turns: count } = await totalOf(store);
        assert.deepEqual([count, cost], [lifetime.turns, lifetime.cost]);
      }
      const before = (await totalOf(store)).turns;
      const { won } = await inOneTick<unknown>(16, (i) =>
        i % 4 === 3
          ? totalOf(store)
          : commitTo(store)({ append: { turns: [paidTurn(`same-tick-${i}`, 1)] } }),
      );
      assert.equal(won.length, 16);
      assert.equal((await totalOf(store)).turns, before + 12);
    },
  },
  {
    id: 'port-report/once',
    promise:
      'A turn counts where it was first written: what a branch reads, a copy that a merge brought and what a move left behind add nothing and take nothing away.',
    async check({ store }) {
      await start(store, 's', u, [paidTurn('a', 1), paidTurn('b', 10)]);
      const point = { timelineId: 's.1', seq: 2, turnId: 'b', tokens: 33, cost: 11 };
      const base = { ...point, variables: null };
      const parent = { sessionId: 's', branchName: 'b', forkSeq: 2 };
      const timeline = rawTimeline('branch', 1, base);
      done(await store.create(rawSession('branch', { timeline, parent })));
      done(await store.commit('branch', { append: { turns: [paidTurn('c', 100)] } }));
      const commit = commitTo(store);
      done(await commit({ timeline: rawTimeline('s', 2, base) }));
      const origin = { timelineId: 'branch.1', seq: 3 };
      const copy = paidTurn('c', 100, {}, { chosen: false, origin });
      done(await commit({ append: { timelineId: 's.2', turns: [copy] } }));
      assert.deepEqual(await totalOf(store), paid(1, 10, 100));
      const to = { ...base, timelineId: 's.2', seq: 3, turnId: 'c', tokens: 333, cost: 111 };
      done(await commit({ pointer: { move: 'merge', to }, event: { type: 'move' } }));
      assert.deepEqual(await totalOf(store), paid(1, 10, 100));
      done(await commit({ timeline: rawTimeline('s', 3) }));
      const zero = { timelineId: 's.3', seq: 0, turnId: null, tokens: 0, cost: 0, variables: null };
      done(await commit({ pointer: { move: 'rewind', to: zero }, event: { type: 'move' } }));
      assert.deepEqual(await totalOf(store), paid(1, 10, 100));
    },
  },
  {
    id: 'port-report/outlives-delete',
    promise:
      'What a deleted session used stays counted, once, whenever it was last reported and however it is erased; its id, used again, adds to it.',
    async check({ clock, store }) {
      await start(store, 'kept', u, [paidTurn('a', 1)]);
      await start(store, 's', u, [paidTurn('b', 10), paidTurn('c', 100)]);
      assert.deepEqual(await totalOf(store), paid(1, 10, 100));
      await start(store, 't', u, [paidTurn('d', 1_000), paidTurn('e', 10_000)]);
      done(await commitTo(store)({ append: { turns: [paidTurn('f', 100_000)] } }));
      for (const id of ['t', 's']) {
        await store.erase(id, { limit: 1 });
        for (let rest = 9; !(await store.erase(id, { keep: [], limit: 1 })).done; rest--) {
          assert.ok(rest > 0, 'an erase comes to an end');
        }
      }
      const all = [1, 10, 100, 1_000, 10_000, 100_000];
      assert.deepEqual(await totalOf(store), paid(...all));
      // A store may number rows again from where it deleted the last ones.
      done(
        await store.commit('kept', { append: { turns: [paidTurn('g', 5), paidTurn('h', 50)] } }),
      );
      assert.deepEqual(await totalOf(store), paid(...all, 5, 50));
      clock.advance(1e9);
      for (let rest = 20; (await store.collect({ before: clock.now(), limit: 100 })) > 0; rest--) {
        assert.ok(rest > 0, 'a collection comes to an end');
      }
      assert.deepEqual(await totalOf(store), paid(...all, 5, 50));
      await start(store, 's', u, [paidTurn('b', 7)]);
      assert.deepEqual(await totalOf(store), paid(...all, 5, 50, 7));
      assert.deepEqual(await totalOf(store, { userId: 'u' }), paid(...all, 5, 50, 7));
    },
  },
  {
    id: 'port-report/kept-turns',
    promise:
      'Turns of a deleted session that a branch still reads count once, now and when they go.',
    async check({ store }) {
      const turns = [paidTurn('a', 1), paidTurn('b', 10), paidTurn('c', 100)];
      await start(store, 's', u, turns);
      await store.erase('s', { limit: 10 });
      const keep = [{ timelineId: 's.1', seq: 1, variables: null }];
      assert.equal((await store.erase('s', { keep, limit: 10 })).done, true);
      assert.deepEqual(await totalOf(store), paid(1, 10, 100));
      assert.equal((await store.erase('s', { keep: [], limit: 10 })).done, true);
      assert.deepEqual(await totalOf(store), paid(1, 10, 100));
    },
  },
  {
    id: 'port-report/span',
    promise:
      'A span counts whole days of UTC by the times of the turns, its first day included and its last one not.',
    async check({ store }) {
      const at = (iso: string) => Date.parse(iso);
      await start(store, 's', u, [
        paidTurn('a', 1, {}, { at: at('1969-12-31T23:59:59.999Z') }),
        paidTurn('b', 10, {}, { at: at('1970-01-01T00:00:00.000Z') }),
        paidTurn('c', 100, {}, { at: at('2026-02-28T23:59:59.999Z') }),
        paidTurn('d', 1_000, {}, { at: at('2026-03-01T00:00:00.000Z') }),
        paidTurn('e', 10_000),
        paidTurn('f', 100_000, {}, { at: at('2026-03-02T00:00:00.000Z') }),
        paidTurn('g', 1e6, {}, { at: at('0000-01-01T00:00:00.000Z') }),
        paidTurn('h', 1e7, {}, { at: at('9999-12-31T23:59:59.999Z') }),
      ]);
      const march = at('2026-03-01T00:00:00Z') / dayMs;
      const spans: readonly [from: number | undefined, to: number | undefined, cost: number][] = [
        [march, march + 1, 11_000],
        [march, march + 2, 111_000],
        [march - 1, march + 1, 11_100],
        [march, march, 0],
        [undefined, march, 1_000_111],
        [march + 1, undefined, 10_100_000],
        [-1, 1, 11],
        [undefined, undefined, 11_111_111],
      ];
      for (const [from, to, cost] of spans) {
        const span = {
          ...(from === undefined ? {} : { from }),
          ...(to === undefined ? {} : { to }),
        };
        assert.equal((await totalOf(store, span)).cost, cost, `from ${from} to ${to}`);
        const groups = Object.values(await groupsOf(store, span));
        assert.equal(
          groups.reduce((sum, one) => sum + one.cost, 0),
          cost,
        );
        const tools = Object.values(await groupsOf(store, { ...span, groupBy: 'tool' }));
        assert.equal(
          tools.reduce((sum, one) => sum + one.cost, 0),
          cost,
        );
      }
      assert.deepEqual(Object.keys(await groupsOf(store, { groupBy: 'day' })), [
        '0000-01-01',
        '1969-12-31',
        '1970-01-01',
        '2026-02-28',
        '2026-03-01',
        '2026-03-02',
        '9999-12-31',
      ]);
    },
  },
  {
    id: 'port-report/tools',
    promise:
      'By tool, calls are counted for each tool, and a turn stands once in the group of each tool that it called, with all that it used; the total has it once.',
    async check({ store }) {
      const calls = (...names: readonly string[]) => ({
        toolCalls: names.map((name, i) => ({ id: `c${i}`, name, arguments: '{}' })),
      });
      await start(store, 's', u, [
        paidTurn('a', 1, calls('find', 'find', 'book')),
        paidTurn('b', 10, calls('find')),
        paidTurn('c', 100, calls()),
        paidTurn('d', 1_000),
      ]);
      const { groups, total } = await store.report({ groupBy: 'tool', limit: 10 });
      assert.deepEqual(byKey({ groups, total }), {
        null: paid(100, 1_000),
        book: { ...paid(1), calls: 1 },
        find: { ...paid(1, 10), calls: 3 },
      });
      assert.deepEqual(total, { ...paid(1, 10, 100, 1_000), calls: 4 });
    },
  },
  {
    id: 'port-report/unpriced',
    promise:
      'A turn that used tokens and has no cost is counted as unpriced, and its model can be asked for; one that cost nothing is not.',
    async check({ store }) {
      const usage = { inputTokens: 2, outputTokens: 1, totalTokens: 3 };
      const free = (text: string, fields: object): NewTurn =>
        rawTurn(text, {
          tokens: 3,
          body: JSON.stringify({ role: 'user', content: '', ...fields }),
        });
      await start(store, 's', u, [
        paidTurn('a', 1, { model: 'known' }),
        free('b', { model: 'unknown', usage }),
        free('c', { model: 'unknown', usage }),
        free('d', { model: 'free', usage, cost: 0 }),
        free('e', { model: 'filled', usage, priced: 5 }),
        rawTurn('f'),
      ]);
      const { unpriced, cost } = await totalOf(store);
      assert.deepEqual([unpriced, cost], [2, 6]);
      const query = { groupBy: 'model', unpriced: true, limit: 10 } as const;
      assert.deepEqual(byKey(await store.report(query)), {
        unknown: { ...none, turns: 2, unpriced: 2, tokens: 6, inputTokens: 4, outputTokens: 2 },
      });
      assert.equal((await groupsOf(store, {})).free?.unpriced, 0);
    },
  },
  {
    id: 'port-report/owners',
    promise:
      'A report of an owner has what is exactly this owner’s; one of a user or a tenant, theirs.',
    async check({ store }) {
      const owners: readonly Owner[] = ['acme', 'acme-corp', 'ACME', 'acm_', 'acme%', null].flatMap(
        (tenantId) => ['u', 'U', 'u%', 'u '].map((userId) => ({ tenantId, userId })),
      );
      for (const [i, owner] of owners.entries()) {
        await start(store, `s${i}`, owner, [paidTurn('a', i + 1)]);
      }
      const cost = async (query: Partial<ReportQuery>) => (await totalOf(store, query)).cost;
      const of = (test: (owner: Owner) => boolean): number =>
        owners.reduce((sum, owner, i) => sum + (test(owner) ? i + 1 : 0), 0);
      for (const { tenantId, userId } of owners) {
        const both = of((owner) => owner.userId === userId && owner.tenantId === tenantId);
        assert.equal(await cost({ tenantId, userId }), both);
        assert.equal(
          await cost({ userId }),
          of((owner) => owner.userId === userId),
        );
        assert.equal(
          await cost({ tenantId }),
          of((owner) => owner.tenantId === tenantId),
        );
        const groups = await store.report({ groupBy: 'user', tenantId, userId, limit: 10 });
        assert.deepEqual(
          groups.groups.map((group) => [group.key, group.tenantId, group.sums.cost]),
          [[userId, tenantId, both]],
        );
      }
      assert.equal(await cost({ tenantId: 'acme', userId: 'nobody' }), 0);
    },
  },
  {
    id: 'port-report/pages',
    promise:
      'Groups come in pages, in order of their bytes with none first, each once; the total is of all of them.',
    async check({ store }) {
      const names = ['b', 'B', 'a', 'é', '~', '日本', '\u{1f600}', '\uffee', 'a b', "a' OR 1=1"];
      const turns = names.map((name, i) =>
        paidTurn(`t${i}`, 1, {
          model: name,
          agent: name,
          toolCalls: [{ id: 'c', name, arguments: '' }],
        }),
      );
      await start(store, 's', u, [...turns, paidTurn('none', 1)]);
      for (const [i, userId] of names.entries()) {
        const owner = { tenantId: i % 2 === 0 ? null : 'acme', userId };
        await start(store, `s${i}`, owner, [paidTurn('t', 1)]);
        await start(store, `t${i}`, { tenantId: 'b', userId }, [paidTurn('t', 1)]);
      }
      const sorted = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      for (const groupBy of ['model', 'agent', 'tool', 'user'] as const) {
        const all = (await store.report({ groupBy, limit: 1_000 })).groups;
        if (groupBy !== 'user')
          assert.deepEqual(
            all.map(({ key }) => key),
            [null, ...sorted],
          );
        else assert.equal(all.length, 2 * names.length + 1);
        const read: unknown[] = [];
        let after: (typeof all)[number] | undefined;
        for (;;) {
          const query = { groupBy, limit: 3, ...(after === undefined ? {} : { after }) };
          const page = await store.report(query);
          assert.ok(page.groups.length <= 3);
          assert.equal(page.total.cost, 31);
          read.push(...page.groups);
          if (page.groups.length < 3) break;
          after = page.groups.at(-1);
        }
        assert.deepEqual(read, all);
      }
      for (const [i, day] of ['1969-12-31', '2026-03-01', '2026-03-05'].entries()) {
        const at = Date.parse(`${day}T12:00:00Z`);
        const commit = { append: { turns: [paidTurn(`day${i}`, 1, {}, { at })] } };
        done(await store.commit('s', commit));
      }
      const after = { key: '1969-12-31', tenantId: null };
      const days = await store.report({ groupBy: 'day', limit: 1, after });
      assert.deepEqual(Object.keys(byKey(days)), ['2026-03-01']);
    },
  },
  {
    id: 'port-report/any-number',
    promise:
      'No turn, whatever numbers it tells, stops a report: past 2^53 it is the nearest number.',
    async check({ store }) {
      const most = Number.MAX_SAFE_INTEGER;
      const usage = { inputTokens: most, cacheReadTokens: most, totalTokens: 0 };
      const million = 1e15;
      for (const n of range(1, 12)) {
        const turns = range(1, 9).map((i) => paidTurn(`t${i}`, million, { usage, agent: `a${i}` }));
        await start(
          store,
          `s${n}`,
          u,
          turns.map((turn) => ({ ...turn, tokens: 0 })),
        );
      }
      const odd = [
        '{"role":"user","content":"","usage":"none","cost":-5,"model":7,"toolCalls":[1,{"name":2}]}',
        'no JSON',
        '[]',
      ];
      await start(
        store,
        'odd',
        u,
        odd.map((body, i) => rawTurn(`t${i}`, { body })),
      );
      const { calls, cost, turns } = await totalOf(store);
      assert.deepEqual([turns, calls, cost], [111, 0, 108e15]);
      await store.erase('s1', { limit: 10 });
      assert.equal((await store.erase('s1', { keep: [], limit: 100 })).done, true);
      assert.equal((await totalOf(store)).cost, 108e15);
    },
  },
];

function add(...all: readonly UsageSums[]): UsageSums {
  const sum: Record<string, number> = { ...none };
  for (const one of all)
    for (const [key, value] of Object.entries(one)) sum[key] = (sum[key] ?? 0) + value;
  return sum as unknown as UsageSums;
}
