import assert from 'node:assert/strict';
import {
  AppendMerge,
  type MergeSides,
  SelectiveMerge,
  type SessionTurn,
  SummaryMerge,
} from '@lexigram/ai-session';
import type { Law } from '../law.ts';
import { addTexts, picture, say, texts, textsOf, turnsOf } from '../reading.ts';
import { refused } from '../refusals.ts';
import { family } from './merge.ts';

/** What a merge brings is a strategy's to decide. */
export const mergeStrategyLaws: readonly Law[] = [
  {
    id: 'merge-strategies/selective',
    promise:
      "Of a branch the named turns come, in the branch's order; the others come with the next merge of all.",
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { branchId, parentId } = await family(sessions, ['x', 'y', 'z']);
      const strategy = new SelectiveMerge(['z', 'x', 'z']);
      const { merged } = await branches.merge(parentId, branchId, { strategy });
      assert.equal(merged, 2);
      assert.deepEqual(await textsOf(manager, parentId), ['t1', 't2', 'x', 'z']);
      assert.equal((await branches.merge(parentId, branchId, { strategy })).merged, 0);
      const before = await picture(bench.store, parentId);
      const unknown = new SelectiveMerge(['y', 'unknown']);
      const said = await refused(
        branches.merge(parentId, branchId, { strategy: unknown }),
        'input',
      );
      assert.match(said.message, /unknown/);
      assert.deepEqual(await picture(bench.store, parentId), before);
      assert.equal((await branches.merge(parentId, branchId)).merged, 1);
      assert.deepEqual(await textsOf(manager, parentId), ['t1', 't2', 'x', 'z', 'y']);
      const first = (await turnsOf(manager, parentId))[0]?.turnId ?? '';
      const shared = new SelectiveMerge([first]);
      assert.equal((await branches.merge(parentId, branchId, { strategy: shared })).merged, 0);
    },
  },
  {
    id: 'merge-strategies/tools-together',
    promise:
      'A tool call and its results come together, or the refusal names the turn that is missing.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { branchId, parentId } = await family(sessions, ['q']);
      const call = (id: string) => ({ id, name: 'search', arguments: '{}' });
      await manager.addTurns(branchId, [
        { turnId: 'call', role: 'assistant', content: '', toolCalls: [call('c1'), call('c2')] },
        { turnId: 'r1', role: 'tool', content: '1', toolCallId: 'c1' },
        { turnId: 'r2', role: 'tool', content: '2', toolCallId: 'c2' },
        { turnId: 'again', role: 'assistant', content: '', toolCalls: [call('c1')] },
        { turnId: 'r3', role: 'tool', content: '3', toolCallId: 'c1' },
        { turnId: 'cut', role: 'assistant', content: '', toolCalls: [call('c9')] },
      ]);
      const lacking = [
        [['call', 'r1'], 'r2'],
        [['call', 'r2'], 'r1'],
        [['r1'], 'call'],
        [['r3'], 'again'],
        [['again'], 'r3'],
        [['call', 'r1', 'r2', 'r3'], 'again'],
      ] as const;
      const before = await picture(bench.store, parentId);
      for (const [named, missing] of lacking) {
        const strategy = new SelectiveMerge(named);
        const error = await refused(branches.merge(parentId, branchId, { strategy }), 'input');
        assert.ok(error.message.includes(`'${missing}'`), error.message);
      }
      assert.deepEqual(await picture(bench.store, parentId), before);
      for (const named of [['cut'], ['again', 'r3', 'q'], ['r2', 'call', 'r1']]) {
        const strategy = new SelectiveMerge(named);
        const { merged } = await branches.merge(parentId, branchId, { strategy });
        assert.equal(merged, named.length);
      }
      const ids = (await turnsOf(manager, parentId)).slice(2).map(({ turnId }) => turnId);
      assert.deepEqual(ids, ['cut', 'q', 'again', 'r3', 'call', 'r1', 'r2']);
    },
  },
  {
    id: 'merge-strategies/summary',
    promise:
      'A summary is one new turn that tells which turns it stands for; these do not come again, and it counts as written in the parent.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { branchId, parentId } = await family(sessions, ['x', 'y']);
      let asked: readonly SessionTurn[] = [];
      const strategy = new SummaryMerge(async (turns) => {
        asked = turns;
        const usage = { inputTokens: 100, outputTokens: 7 };
        return { role: 'assistant', content: 'sum', model: 'm', usage, cost: 0.25 };
      });
      const { merged, state } = await branches.merge(parentId, branchId, { strategy });
      assert.deepEqual(asked, (await turnsOf(manager, branchId)).slice(2));
      assert.equal(merged, 1);
      const [summary] = await turnsOf(manager, parentId, { from: 3 });
      assert.deepEqual(summary?.origins, [{ timelineId: `${branchId}.1`, from: 3, to: 4 }]);
      assert.deepEqual(
        [summary?.content, summary?.model, summary?.origin],
        ['sum', 'm', undefined],
      );
      assert.deepEqual([state.totalTokens, state.lifetimeTokens], [107, 107]);
      assert.deepEqual([state.totalCost, state.lifetimeCost], [0.25, 0.25]);
      assert.equal((await branches.merge(parentId, branchId, { strategy })).merged, 0);
      await manager.addTurn(branchId, say('z', { turnId: 'z' }));
      assert.equal((await branches.merge(parentId, branchId)).merged, 1);
      assert.deepEqual(await textsOf(manager, parentId), ['t1', 't2', 'sum', 'z']);
      await manager.rewind(parentId, { toSeq: 2 });
      assert.equal((await branches.merge(parentId, branchId)).merged, 3);
      const short = new SummaryMerge(() => 'short');
      await manager.undo(parentId);
      await manager.rewind(parentId, { toSeq: 1 });
      assert.equal((await branches.merge(parentId, branchId, { strategy: short })).merged, 1);
      const [only] = await turnsOf(manager, parentId, { from: 2 });
      assert.deepEqual(
        [only?.content, only?.role, only?.origins?.length],
        ['short', 'assistant', 2],
      );
    },
  },
  {
    id: 'merge-strategies/own',
    promise:
      "One's own strategy is given both histories, the point and the variables that both have, and brings turns of the branch and new ones, with a patch of its own.",
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { branchId, parentId } = await family(sessions, ['x', 'y']);
      await manager.setVariables(branchId, { v: 'branch' });
      await manager.setVariables(parentId, { v: 'parent', w: 1 });
      await addTexts(manager, parentId, ['p']);
      let seen: MergeSides | undefined;
      const read = async (turns: AsyncIterable<SessionTurn>): Promise<readonly unknown[]> => {
        const all = [];
        for await (const { content } of turns) all.push(content);
        return all;
      };
      const { conflicts, merged, state } = await branches.merge(parentId, branchId, {
        strategy: {
          async merge(sides) {
            seen = sides;
            assert.deepEqual(await read(sides.parent.turns()), ['t1', 't2', 'p']);
            assert.deepEqual(await read(sides.branch.turns({ from: 2, to: 3 })), ['t2', 'x']);
            assert.deepEqual(await read(sides.missing()), ['x', 'y']);
            const y = (await sides.branch.find('y')) ?? assert.fail();
            const heading = { role: 'system', content: 'from the branch' } as const;
            return {
              turns: [{ turn: heading }, y],
              variables: { v: 'strategy' },
              unset: ['w'],
            };
          },
        },
      });
      assert.deepEqual([conflicts, merged, state.variables], [[], 2, { v: 'strategy' }]);
      assert.deepEqual(
        [seen?.common.seq, seen?.variables, seen?.parent.variables, seen?.branch.variables],
        [2, {}, { v: 'parent', w: 1 }, { v: 'branch' }],
      );
      const shown = ['t1', 't2', 'p', 'from the branch', 'y'];
      assert.deepEqual(await textsOf(manager, parentId), shown);
      // All of the branch: what the parent has does not come again.
      const all = { merge: (sides: MergeSides) => ({ turns: sides.branch.turns() }) };
      assert.equal((await branches.merge(parentId, branchId, { strategy: all })).merged, 1);
      assert.deepEqual(await textsOf(manager, parentId), [...shown, 'x']);
    },
  },
  {
    id: 'merge-strategies/what-they-may-not',
    promise:
      'A strategy that answers with what is no turn of the branch and no new turn, or with one twice, is refused, and nothing is written.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { branchId, parentId } = await family(sessions, ['x']);
      const before = await picture(bench.store, parentId);
      const answers: readonly ((sides: MergeSides) => unknown)[] = [
        () => undefined,
        () => ({ turns: 5 }),
        () => ({ turns: [null] }),
        () => ({ turns: [{ role: 'user', content: 'x' }] }),
        () => ({ turns: [{ turn: { role: 'user', content: 'x', turnId: 'mine' } }] }),
        () => ({ turns: [{ turn: { role: 'user' } }] }),
        () => ({ turns: [{ turn: say('x'), standsFor: [{}] }] }),
        () => ({ turns: [], variables: [] }),
        () => ({ turns: [], unset: 'all' }),
        () => ({ turns: [], more: 1 }),
        async (sides) => {
          const x = await sides.branch.find('x');
          return { turns: [x, { ...x }] };
        },
        async (sides) => {
          const x = await sides.branch.find('x');
          return { turns: [x, x] };
        },
        async (sides) => ({ turns: [await sides.branch.find('x'), await sides.branch.find('x')] }),
        async (sides) => ({ turns: sides.parent.turns() }),
      ];
      for (const [i, merge] of answers.entries()) {
        const strategy = { merge: merge as AppendMerge['merge'] };
        const error = await refused(branches.merge(parentId, branchId, { strategy }), 'input');
        assert.ok(error.message.length < 500, `answer ${i}`);
      }
      assert.deepEqual(await picture(bench.store, parentId), before);
      for (const strategy of [1, null, {}, 'append']) {
        const given = { strategy } as never;
        await refused(branches.merge(parentId, branchId, given), 'input', {
          path: 'strategy',
        });
      }
      assert.equal(
        (await branches.merge(parentId, branchId, { strategy: new AppendMerge() })).merged,
        1,
      );
      assert.equal((await manager.getState(parentId)).turnCount, texts(3).length);
    },
  },
  {
    id: 'merge-strategies/operations',
    promise:
      'A merge made again as the same operation is answered as before, with its count and conflicts; with another strategy it is a conflict.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { branchId, parentId } = await family(sessions, texts(120, 'b'));
      await manager.setVariables(parentId, { v: 'parent' });
      await manager.setVariables(branchId, { v: 'branch' });
      const op = { operationId: 'op' };
      const first = await branches.merge(parentId, branchId, op);
      assert.deepEqual([first.merged, first.conflicts.length], [120, 1]);
      await addTexts(manager, branchId, ['more']);
      await addTexts(manager, parentId, ['on']);
      const before = await picture(bench.store, parentId);
      assert.deepEqual(await branches.merge(parentId, branchId, op), first);
      const others = [
        { onConflict: 'parent' },
        { strategy: new SelectiveMerge(['b1']) },
        { expectedHead: first.state.head },
      ] as const;
      for (const other of others) {
        const call = branches.merge(parentId, branchId, { ...op, ...other });
        await refused(call, 'conflict', { reason: 'operation' });
      }
      const named = { operationId: 'named', strategy: new SelectiveMerge(['b1']) };
      assert.equal((await branches.merge(parentId, branchId, named)).merged, 0);
      assert.equal((await branches.merge(parentId, branchId, named)).merged, 0);
      const elsewhere = { ...named, strategy: new SelectiveMerge(['b2']) };
      await refused(branches.merge(parentId, branchId, elsewhere), 'conflict', {
        reason: 'operation',
      });
      assert.deepEqual(await picture(bench.store, parentId), before);
    },
  },
];
