import assert from 'node:assert/strict';
import {
  createSessions,
  openPrices,
  type SessionState,
  type Sessions,
  type TurnInput,
  type UsageGroup,
  type UsageTotals,
} from '@lexigram/ai-session';
import type { Law } from '../law.ts';
import { inOneTick, range } from '../many.ts';
import { picture, say } from '../reading.ts';
import { isFault, refused } from '../refusals.ts';

const dayMs = 86_400_000;

/** An answer of a model that cost so many USD. */
function answer(cost: number | undefined, more: Partial<TurnInput> = {}): TurnInput {
  const usage = { inputTokens: 20, outputTokens: 10 };
  const turn: TurnInput = { role: 'assistant', content: 'x', model: 'm', usage, ...more };
  return cost === undefined ? turn : { ...turn, cost };
}

function start(sessions: Sessions, userId = 'u', tenantId?: string): Promise<SessionState> {
  const tenant = tenantId === undefined ? {} : { tenantId };
  return sessions.manager.create({ userId, ...tenant });
}

/** Costs by key. */
function costs(items: readonly UsageGroup[]): Readonly<Record<string, number | null>> {
  return Object.fromEntries(items.map(({ cost, key }) => [String(key), cost]));
}

function counted({ cost, turns, unpricedTurns }: UsageTotals): readonly (number | null)[] {
  return [turns, cost, unpricedTurns];
}

/** Reports, prices and budgets, as the services tell them. */
export const analyticsLaws: readonly Law[] = [
  {
    id: 'analytics/report',
    promise:
      'A report has the days of its span, whole ones, in groups and pages, and says which days it counted.',
    async check(bench) {
      const sessions = await bench.open({ sessionTtl: 0 });
      const { analytics, manager } = sessions;
      const { sessionId } = await start(sessions);
      await manager.addTurns(sessionId, [
        say('q'),
        answer(0.1, { agent: 'a', toolCalls: [{ id: '1', name: 'find', arguments: '' }] }),
        answer(0.2, { agent: 'b', model: 'n', usage: { outputTokens: 7, reasoningTokens: 3 } }),
      ]);
      bench.clock.advance(dayMs);
      await manager.addTurn(sessionId, answer(1));
      const first = { from: '2026-03-01', to: '2026-03-02' };
      const report = await analytics.report({ groupBy: 'model', ...first });
      assert.deepEqual(costs(report.items), { null: 0, m: 0.1, n: 0.2 });
      assert.deepEqual(report.total, {
        turns: 3,
        toolCalls: 1,
        totalTokens: 37,
        inputTokens: 20,
        outputTokens: 17,
        cacheReadTokens: 0,
        cacheWriteTokens: 0,
        reasoningTokens: 3,
        cost: 0.3,
        unpricedTurns: 0,
      });
      const day = { from: '2026-03-01T00:00:00.000Z', to: '2026-03-02T00:00:00.000Z' };
      assert.deepEqual([report.from, report.to], [day.from, day.to]);
      const inTheDay = { from: '2026-03-01T13:00:00Z', to: '2026-03-01T14:00:00+01:00' };
      for (const span of [day, inTheDay]) {
        assert.deepEqual(await analytics.report({ groupBy: 'model', ...span }), report);
      }
      const days = await analytics.report({ groupBy: 'day' });
      assert.deepEqual(costs(days.items), { '2026-03-01': 0.3, '2026-03-02': 1 });
      assert.deepEqual([days.from, days.to, days.nextCursor], [null, null, null]);
      const agents = await analytics.report({ groupBy: 'agent', ...first });
      assert.deepEqual(costs(agents.items), { null: 0, a: 0.1, b: 0.2 });
      const tools = await analytics.report({ groupBy: 'tool', ...first });
      assert.deepEqual(costs(tools.items), { null: 0.2, find: 0.1 });
      const one = await analytics.report({ groupBy: 'day', limit: 1 });
      assert.equal(one.items.length, 1);
      const cursor = one.nextCursor ?? assert.fail('there is a second page');
      const two = await analytics.report({ groupBy: 'day', limit: 1, cursor });
      assert.deepEqual([...one.items, ...two.items], days.items);
      assert.equal(two.nextCursor, null);
      assert.deepEqual([one.total, two.total], [days.total, days.total]);
      await refused(analytics.report({ groupBy: 'model', cursor }), 'input');
      assert.ok(
        Object.isFrozen(days) && Object.isFrozen(days.items) && Object.isFrozen(days.total),
      );
      const empty = await analytics.report({ groupBy: 'day', from: '2026-04-01' });
      assert.deepEqual([empty.items, counted(empty.total)], [[], [0, 0, 0]]);
    },
  },
  {
    id: 'analytics/each-turn-once',
    promise:
      'Forks, moves and deletes change nothing of what a report or a user’s numbers say was used.',
    async check(bench) {
      const sessions = await bench.open();
      const { analytics, branches, manager } = sessions;
      const { sessionId } = await start(sessions);
      await manager.addTurns(sessionId, [answer(1), answer(2), answer(4)]);
      const used = async () => {
        const { total } = await analytics.report({ groupBy: 'user', userId: 'u' });
        const { totalCost, totalTurns } = await analytics.user('u');
        assert.deepEqual([totalTurns, totalCost], [total.turns, total.cost]);
        return [total.turns, total.cost];
      };
      assert.deepEqual(await used(), [3, 7]);
      const branch = await branches.fork(sessionId, 'b', { atSeq: 2 });
      await manager.rewind(sessionId, { toSeq: 1 });
      assert.deepEqual(await used(), [3, 7]);
      await manager.addTurn(branch.sessionId, answer(8));
      await manager.addTurn(sessionId, answer(16));
      await manager.undo(sessionId);
      assert.deepEqual(await used(), [5, 31]);
      await manager.delete(sessionId);
      assert.deepEqual(await used(), [5, 31]);
      await manager.delete(branch.sessionId);
      assert.deepEqual(await used(), [5, 31]);
      // What was used stays with whom it was used by.
      const given = await start(sessions);
      await manager.addTurn(given.sessionId, answer(32));
      const taken = await manager.transfer(given.sessionId, { userId: 'v' });
      assert.deepEqual(await used(), [6, 63]);
      assert.deepEqual([taken.totalCost, (await analytics.user('v')).totalCost], [32, 0]);
      const { activeSessions, totalSessions } = await analytics.user('u');
      assert.deepEqual([totalSessions, activeSessions], [0, 0]);
    },
  },
  {
    id: 'analytics/user',
    promise:
      'A user’s numbers: sessions that are there and active, the mean of their turns, how many have checkpoints, and what was ever used.',
    async check(bench) {
      const sessions = await bench.open({ autoCheckpointInterval: null });
      const { analytics, manager } = sessions;
      const [one, two, three] = await Promise.all(range(1, 3).map(() => start(sessions)));
      await manager.addTurns(one?.sessionId ?? '', [say('a'), answer(0.5), answer(0.25)]);
      await manager.addTurn(two?.sessionId ?? '', answer(undefined, { model: 'unheard-of' }));
      await manager.checkpoint(two?.sessionId ?? '');
      await manager.close(two?.sessionId ?? '');
      await manager.delete(three?.sessionId ?? '');
      const other = await start(sessions, 'u', 'acme');
      await manager.addTurn(other.sessionId, answer(8));
      assert.deepEqual(await analytics.user('u', { tenantId: null }), {
        userId: 'u',
        totalSessions: 2,
        activeSessions: 1,
        averageTurns: 2,
        checkpointRate: 0.5,
        totalTurns: 4,
        totalTokens: 90,
        totalCost: 0.75,
        unpriced: [{ model: 'unheard-of', turns: 1 }],
      });
      const both = await analytics.user('u');
      assert.deepEqual([both.totalSessions, both.totalCost], [3, 8.75]);
      assert.deepEqual(await analytics.user('nobody'), {
        userId: 'nobody',
        totalSessions: 0,
        activeSessions: 0,
        averageTurns: null,
        checkpointRate: null,
        totalTurns: 0,
        totalTokens: 0,
        totalCost: 0,
        unpriced: [],
      });
      // More sessions than a page of the store has, and one whose time has run out.
      const crowd = await bench.open({ sessionTtl: 60, maxSessionsPerUser: 10_000 });
      for (const _ of range(1, bench.scale(1_001, 30))) await start(crowd, 'busy');
      bench.clock.advance(59_999);
      await start(crowd, 'busy');
      bench.clock.advance(1);
      const busy = await analytics.user('busy');
      assert.deepEqual([busy.totalSessions, busy.activeSessions], [bench.scale(1_001, 30) + 1, 1]);
    },
  },
  {
    id: 'analytics/owners',
    promise: 'An owner’s numbers are of what this owner owns, and nobody else can be asked for.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const owners = [
        { tenantId: 'acme', userId: 'u' },
        { tenantId: 'acme', userId: 'U' },
        { tenantId: 'acme-corp', userId: 'u' },
        { tenantId: null, userId: 'u' },
      ];
      for (const [i, owner] of owners.entries()) {
        const { sessionId } = await manager.create(owner);
        await manager.addTurn(sessionId, answer(2 ** i, { model: `m${i}` }));
      }
      for (const [i, owner] of owners.entries()) {
        const { analytics } = sessions.as(owner);
        const { items, total } = await analytics.report({ groupBy: 'model' });
        assert.deepEqual([costs(items), total.cost], [{ [`m${i}`]: 2 ** i }, 2 ** i]);
        const users = await analytics.report({ groupBy: 'user' });
        assert.deepEqual(
          users.items.map(({ key, tenantId }) => ({ tenantId, userId: key })),
          [owner],
        );
        const { totalCost, totalSessions, userId } = await analytics.user();
        assert.deepEqual([userId, totalSessions, totalCost], [owner.userId, 1, 2 ** i]);
        for (const other of [{ userId: 'u' }, { tenantId: 'acme' }]) {
          const options = { groupBy: 'day', ...other } as const;
          await refused(analytics.report(options), 'input');
        }
        const user = analytics.user as (...given: readonly unknown[]) => Promise<unknown>;
        await refused(Reflect.apply(user, analytics, ['u']), 'input');
        await refused(Reflect.apply(user, analytics, [undefined, { tenantId: 'acme' }]), 'input');
      }
      const { analytics } = sessions;
      const cost = async (of: object) => {
        const { total } = await analytics.report({ groupBy: 'day', ...of });
        return total.cost;
      };
      assert.equal(await cost({}), 15);
      assert.equal(await cost({ tenantId: 'acme' }), 3);
      assert.equal(await cost({ userId: 'u' }), 13);
      assert.equal(await cost({ userId: 'u', tenantId: null }), 8);
    },
  },
  {
    id: 'analytics/unpriced',
    promise:
      'What used tokens and has no cost is said, in reports, of a session and of a user, and is never taken for nothing.',
    async check(bench) {
      const sessions = await bench.open();
      const { analytics, manager } = sessions;
      const { sessionId } = await start(sessions);
      const unknown = answer(undefined, { model: 'unheard-of' });
      await manager.addTurns(sessionId, [say('q'), unknown, unknown]);
      const { items, total, unpriced } = await analytics.report({ groupBy: 'model' });
      assert.deepEqual(costs(items), { null: 0, 'unheard-of': null });
      assert.deepEqual(counted(total), [3, null, 2]);
      assert.deepEqual(unpriced, [{ model: 'unheard-of', turns: 2 }]);
      assert.deepEqual((await analytics.session(sessionId)).unpriced, unpriced);
      const user = await analytics.user('u');
      assert.deepEqual([user.totalCost, user.unpriced], [null, unpriced]);
      await manager.addTurn(sessionId, answer(0.5));
      const after = await analytics.report({ groupBy: 'day' });
      assert.deepEqual([counted(after.total), after.unpriced], [[4, 0.5, 2], unpriced]);
      const free = await start(sessions, 'free');
      await manager.addTurn(free.sessionId, answer(0));
      assert.deepEqual(
        counted((await analytics.report({ groupBy: 'day', userId: 'free' })).total),
        [1, 0, 0],
      );
    },
  },
  {
    id: 'analytics/filled-in',
    promise:
      'Prices fill in what a turn cost, in the turn, the sums and the reports; the same turn again is a repeat, at whatever price.',
    async check(bench) {
      const withPrice = async (input: number): Promise<Sessions> => {
        const models = { m: { input, output: 30, cacheRead: 1, cacheWrite: 20, reasoning: 100 } };
        const prices = await openPrices({ models, catalogue: false });
        return createSessions({}, { store: bench.store, prices });
      };
      const sessions = await withPrice(10);
      const { analytics, manager } = sessions;
      const { sessionId } = await start(sessions);
      const usage = {
        inputTokens: 1_000,
        outputTokens: 100,
        cacheReadTokens: 500,
        cacheWriteTokens: 100,
        reasoningTokens: 40,
      };
      const turn = { ...answer(undefined, { usage }), turnId: 't', metadata: { priced: 1 } };
      const added = await manager.addTurn(sessionId, turn);
      const cost = (400 * 10 + 500 * 1 + 100 * 20 + 60 * 30 + 40 * 100) / 1e6;
      assert.equal(added.turn.cost, cost);
      const read = await manager.getState(sessionId, { turns: 'all' });
      assert.deepEqual([read.turns, read.totalCost, read.lifetimeCost], [[added.turn], cost, cost]);
      assert.equal((await analytics.report({ groupBy: 'day' })).total.cost, cost);
      const again = await manager.addTurn(sessionId, turn);
      assert.deepEqual([again.duplicate, again.turn], [true, added.turn]);
      const dearer = await withPrice(11);
      const plain = await bench.open();
      for (const other of [dearer, plain]) {
        const repeat = await other.manager.addTurn(sessionId, turn);
        assert.deepEqual([repeat.duplicate, repeat.turn], [true, added.turn]);
      }
      const told = { ...turn, cost };
      await refused(manager.addTurn(sessionId, told), 'conflict', { reason: 'turn' });
      const operationId = 'op';
      const { turnId: _, ...unnamed } = turn;
      const once = await manager.addTurn(sessionId, unnamed, { operationId });
      const twice = await dearer.manager.addTurn(sessionId, unnamed, { operationId });
      assert.deepEqual(twice.turn, once.turn);
      // A cost that was given stands, and what has no price, no model or no usage has no cost.
      const given = await manager.addTurn(sessionId, answer(5));
      assert.equal(given.turn.cost, 5);
      for (const more of [{ model: 'other' }, { usage: { totalTokens: 9 } }, { usage: {} }]) {
        const { turn: without } = await manager.addTurn(sessionId, answer(undefined, more));
        assert.equal(without.cost, undefined);
      }
      await manager.addTurns(sessionId, [answer(undefined), say('thanks'), answer(undefined)]);
      // 12,300 and 500 millionths of a dollar, twice each, and the 5 that were given.
      assert.equal((await manager.getState(sessionId)).totalCost, 5.0256);
    },
  },
  {
    id: 'analytics/session-budget',
    promise:
      'The turn that spends a session’s budget is kept; later ones are refused, moves and reads are not, and what a move leaves behind stays spent.',
    async check(bench) {
      const sessions = await bench.open({ maxCostPerSession: 0.3 });
      const { branches, manager } = sessions;
      const { sessionId } = await start(sessions);
      await manager.addTurn(sessionId, { ...answer(0.1), turnId: 'first' });
      await manager.addTurn(sessionId, answer(0.1));
      await manager.addTurn(sessionId, answer(0.7));
      const limit = { limit: 'maxCostPerSession', max: 0.3 };
      const before = await picture(bench.store, sessionId);
      await refused(manager.addTurn(sessionId, say('more')), 'capacity', limit);
      await refused(manager.addTurns(sessionId, [say('a'), say('b')]), 'capacity', limit);
      assert.deepEqual(await picture(bench.store, sessionId), before);
      const repeat = await manager.addTurn(sessionId, { ...answer(0.1), turnId: 'first' });
      assert.equal(repeat.duplicate, true);
      await manager.rewind(sessionId, { toSeq: 1 });
      await refused(manager.addTurn(sessionId, say('more')), 'capacity', limit);
      await refused(manager.edit(sessionId, 'first', 'other'), 'capacity', limit);
      const state = await manager.setVariables(sessionId, { a: 1 });
      assert.deepEqual([state.status, state.turnCount, state.lifetimeCost], ['active', 1, 0.9]);
      // A branch has a budget of its own: what it inherits was spent elsewhere.
      const branch = await branches.fork(sessionId, 'b');
      await manager.addTurn(branch.sessionId, answer(0.3));
      await refused(manager.addTurn(branch.sessionId, say('more')), 'capacity', limit);
      const richer = await bench.open({ maxCostPerSession: 0.900_000_001 });
      await richer.manager.addTurn(sessionId, answer(0.000_000_001));
      await refused(richer.manager.addTurn(sessionId, say('more')), 'capacity');
    },
  },
  {
    id: 'analytics/user-budget',
    promise:
      'A user’s budget counts all sessions of this user, branches and deleted ones too, also when many turns come at once.',
    async check(bench) {
      const sessions = await bench.open({ maxCostPerUser: 1 });
      const { branches, manager } = sessions;
      const other = await start(sessions, 'u', 'acme');
      await manager.addTurn(other.sessionId, answer(9));
      const one = await start(sessions);
      await manager.addTurn(one.sessionId, answer(0.25));
      const branch = await branches.fork(one.sessionId, 'b');
      await manager.addTurn(branch.sessionId, answer(0.25));
      const gone = await start(sessions);
      await manager.addTurn(gone.sessionId, answer(0.25));
      await manager.delete(gone.sessionId);
      const ids = [one.sessionId, branch.sessionId, (await start(sessions)).sessionId];
      const { lost, won } = await inOneTick(12, (i) =>
        manager.addTurn(ids[i % 3] ?? '', answer(0.05)),
      );
      assert.equal(won.length, 5);
      const limit = { limit: 'maxCostPerUser', max: 1 };
      for (const error of lost) isFault(error, 'capacity', limit);
      const last = await start(sessions);
      await refused(manager.addTurn(last.sessionId, say('q')), 'capacity', limit);
      await refused(
        sessions.as({ userId: 'u' }).manager.addTurn(last.sessionId, say('q')),
        'capacity',
      );
      const stranger = await start(sessions, 'v');
      await manager.addTurn(stranger.sessionId, say('q'));
      assert.equal((await sessions.analytics.user('u', { tenantId: null })).totalCost, 1);
    },
  },
];
