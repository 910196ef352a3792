import assert from 'node:assert/strict';
import type { SessionState } from '@lexigram/ai-session';
import type { Law } from '../law.ts';
import { inOneTick, range } from '../many.ts';
import { picture, say, sessionOf } from '../reading.ts';
import { refused } from '../refusals.ts';

function sums(state: SessionState): readonly number[] {
  return [state.totalTokens, state.totalCost, state.lifetimeTokens, state.lifetimeCost];
}

/** Usage and money: whole tokens, whole nano-dollars. */
export const moneyLaws: readonly Law[] = [
  {
    id: 'money/exact',
    promise:
      'Costs are rounded to the nano-dollar on entry and add up exactly, in whichever order: 0.1 + 0.2 is 0.3.',
    async check(bench) {
      const { manager } = await bench.open({ maxTurnsPerSession: 10_000 });
      const { sessionId } = await manager.create({ userId: 'u' });
      for (const cost of [0.1, 0.2]) await manager.addTurn(sessionId, say('x', { cost }));
      assert.equal((await manager.getState(sessionId)).totalCost, 0.3);
      const costs = range(1, 100).map((n) => n * 0.000_000_001 + 0.07);
      await manager.addTurns(
        sessionId,
        costs.map((cost) => say('x', { cost })),
      );
      assert.equal((await manager.getState(sessionId)).totalCost, 7.300_005_05);
      const { won } = await inOneTick(10, () =>
        manager.addTurn(sessionId, say('y', { cost: 0.1 })),
      );
      assert.equal(won.length, 10);
      assert.equal((await manager.getState(sessionId)).totalCost, 8.300_005_05);
      const { turn } = await manager.addTurn(sessionId, say('z', { cost: 0.000_000_001_4 }));
      assert.equal(turn.cost, 1e-9);
      assert.equal((await manager.getState(sessionId)).totalCost, 8.300_005_051);
    },
  },
  {
    id: 'money/tokens',
    promise: 'totalTokens is input plus output unless it is given, and sums are of totalTokens.',
    async check(bench) {
      const { manager } = await bench.open();
      const { sessionId } = await manager.create({ userId: 'u' });
      const usage = { inputTokens: 10, outputTokens: 5, cacheReadTokens: 4, reasoningTokens: 3 };
      const { turn } = await manager.addTurn(sessionId, say('x', { usage }));
      assert.deepEqual(turn.usage, { ...usage, totalTokens: 15 });
      await manager.addTurn(sessionId, say('y', { usage: { ...usage, totalTokens: 100 } }));
      await manager.addTurn(sessionId, say('z'));
      assert.equal((await manager.getState(sessionId)).totalTokens, 115);
    },
  },
  {
    id: 'money/total-and-lifetime',
    promise:
      'total counts the current history, inherited turns too; lifetime what was first written here, left behind or not.',
    async check(bench) {
      const { branches, manager } = await bench.open();
      const { sessionId } = await manager.create({ userId: 'u' });
      for (const n of [1, 2, 4]) {
        const turn = say(`${n}`, { usage: { totalTokens: n }, cost: n / 10 });
        await manager.addTurn(sessionId, turn);
      }
      assert.deepEqual(sums(await manager.rewind(sessionId, { toSeq: 2 })), [3, 0.3, 7, 0.7]);
      const branch = await branches.fork(sessionId, 'b', { atSeq: 1 });
      assert.deepEqual(sums(branch), [1, 0.1, 0, 0]);
      const own = say('own', { usage: { totalTokens: 8 }, cost: 0.8 });
      await manager.addTurn(branch.sessionId, own);
      await manager.addTurn(sessionId, own);
      assert.deepEqual(sums(await manager.getState(branch.sessionId)), [9, 0.9, 8, 0.8]);
      assert.deepEqual(sums(await manager.getState(sessionId)), [11, 1.1, 15, 1.5]);
      assert.deepEqual(sums(await manager.undo(sessionId)), [7, 0.7, 15, 1.5]);
      assert.deepEqual(sums(await manager.redo(sessionId)), [11, 1.1, 15, 1.5]);
      const back = await manager.rewind(branch.sessionId, { toSeq: 0 });
      assert.deepEqual(sums(back), [0, 0, 8, 0.8]);
    },
  },
  {
    id: 'money/any-point',
    promise:
      'Any point knows its sums: a checkpoint, a fork and a rewind tell those of the history up to there.',
    async check(bench) {
      const sessions = await bench.open({ autoCheckpointInterval: 2 });
      const { branches, manager } = sessions;
      const { sessionId } = await sessionOf(sessions);
      const batch = range(1, 6).map((n) =>
        say(`${n}`, { usage: { totalTokens: n }, cost: n * 1e-9 }),
      );
      const { checkpoints } = await manager.addTurns(sessionId, batch);
      assert.deepEqual(
        checkpoints.map(({ totalCost, totalTokens }) => [totalTokens, totalCost]),
        [
          [3, 3e-9],
          [10, 10e-9],
          [21, 21e-9],
        ],
      );
      for (const atSeq of range(0, 6)) {
        const sum = (atSeq * (atSeq + 1)) / 2;
        const branch = await branches.fork(sessionId, 'b', { atSeq });
        assert.deepEqual([branch.totalTokens, branch.totalCost], [sum, sum / 1e9]);
        const state = await manager.rewind(sessionId, { toSeq: atSeq });
        assert.deepEqual([state.totalTokens, state.totalCost], [sum, sum / 1e9]);
        await manager.undo(sessionId);
      }
    },
  },
  {
    id: 'money/report',
    promise:
      'The report of a session says what its history holds: turns, sums, agents, models and tools.',
    async check(bench) {
      const { analytics, manager } = await bench.open();
      const { sessionId } = await manager.create({ userId: 'u' });
      await manager.addTurn(sessionId, say('left', { cost: 1, agent: 'gone' }));
      await manager.rewind(sessionId, { toSeq: 0 });
      const tool = (name: string) => ({ id: name, name, arguments: {} });
      await manager.addTurn(sessionId, say('q'));
      bench.clock.advance(3_000);
      await manager.addTurn(sessionId, {
        role: 'assistant',
        content: '',
        agent: 'a',
        model: 'm',
        cost: 0.5,
        usage: { totalTokens: 7 },
        toolCalls: [tool('x'), tool('y'), tool('x')],
      });
      bench.clock.advance(1_000);
      await manager.addTurn(sessionId, {
        role: 'assistant',
        content: 'done',
        agent: 'b',
        model: 'm',
      });
      const report = await analytics.session(sessionId);
      assert.deepEqual([report.totalTurns, report.totalTokens, report.totalCost], [3, 7, 0.5]);
      assert.deepEqual([report.lifetimeTurns, report.lifetimeCost], [4, 1.5]);
      assert.deepEqual([report.agentsUsed, report.modelsUsed], [['a', 'b'], ['m']]);
      assert.deepEqual([...report.toolsInvoked], ['x', 'y']);
      assert.deepEqual([report.durationSeconds, report.avgResponseTimeMs], [4, 2_000]);
    },
  },
  {
    id: 'money/never-rounded',
    promise:
      'A sum that a number could not hold exactly is refused, and nothing of its turn is written.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const { sessionId } = await manager.create({ userId: 'u' });
      const most = Number.MAX_SAFE_INTEGER;
      await manager.addTurn(sessionId, say('most', { usage: { totalTokens: most } }));
      const before = await picture(bench.store, sessionId);
      const one = say('one more', { usage: { totalTokens: 1 } });
      await refused(manager.addTurn(sessionId, one), 'limit', { max: most });
      assert.deepEqual(await picture(bench.store, sessionId), before);
      // What was written and left behind counts, and so does what a branch inherits.
      await manager.rewind(sessionId, { toSeq: 0 });
      await refused(manager.addTurn(sessionId, one), 'limit', { max: most });
      await manager.undo(sessionId);
      const branch = await sessions.branches.fork(sessionId, 'b');
      await refused(manager.addTurn(branch.sessionId, one), 'limit', { max: most });
      const { sessionId: dear } = await manager.create({ userId: 'u' });
      const million = say('dear', { cost: 1_000_000 });
      await manager.addTurns(
        dear,
        range(1, 9).map(() => million),
      );
      await refused(manager.addTurn(dear, million), 'limit', { max: most });
      assert.equal((await manager.getState(dear)).totalCost, 9_000_000);
    },
  },
];
