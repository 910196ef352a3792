import { expect, it } from 'vitest';
import type { MergeSides, MergeStrategy } from '../../src/branching/merge-strategy.ts';
import { createSessions, type Sessions } from '../../src/create-sessions.ts';
import { SessionLeaseError } from '../../src/errors.ts';
import type { SessionTurn } from '../../src/session/turn.ts';
import { openBench } from '../cleanup/opened.ts';

const config = { sessionTtl: 0, autoCheckpointInterval: null };

/** A parent, and a branch with more turns than fit into one batch. */
async function family(
  { branches, manager }: Sessions,
  batches = 3,
): Promise<readonly [string, string]> {
  const { sessionId } = await manager.create({ userId: 'u' });
  await manager.addTurn(sessionId, { role: 'user', content: 'p' });
  const branch = await branches.fork(sessionId, 'b');
  for (let n = 0; n < batches; n++) {
    const turns = Array.from({ length: 100 }, (_, i) => ({
      role: 'user' as const,
      content: `${n}:${i}`,
    }));
    await manager.addTurns(branch.sessionId, turns);
  }
  return [sessionId, branch.sessionId];
}

/** Brings everything, and does something on the way. */
function onTheWay(after: number, act: () => Promise<void>): MergeStrategy {
  return {
    merge(sides: MergeSides) {
      const turns = async function* (): AsyncGenerator<SessionTurn, void, undefined> {
        let n = 0;
        for await (const turn of sides.missing()) {
          if (++n === after) await act();
          yield turn;
        }
      };
      return { turns: turns() };
    },
  };
}

it('a merge whose process is gone leaves what the sweep erases', async () => {
  const bench = openBench();
  // The process ends between two batches: nothing more of it reaches the store.
  let gone = false;
  const dying = await bench.open(config, {
    erase: async (id, request) => {
      if (gone) throw new RangeError('gone');
      return bench.store.erase(id, request);
    },
  });
  const [parentId, branchId] = await family(dying.sessions);
  const strategy = onTheWay(250, async () => {
    gone = true;
    throw new RangeError('gone');
  });
  await expect(dying.sessions.branches.merge(parentId, branchId, { strategy })).rejects.toThrow(
    'gone',
  );
  const staged = `${parentId}.2`;
  const own = [{ timelineId: staged, from: 1, to: 1_000 }];
  const left = (): Promise<readonly unknown[]> =>
    bench.store.turns(own, { limit: 1_000, order: 'asc' });
  expect(await left()).toHaveLength(200);

  const { cleanup, sessions } = await bench.open(config);
  expect((await sessions.manager.getState(parentId)).turnCount).toBe(1);
  expect((await sessions.branches.tree(parentId)).items).toHaveLength(4);
  bench.now += 59_000;
  await cleanup.sweep();
  expect(await left()).toHaveLength(200);
  bench.now += 2_000;
  await cleanup.sweep();
  expect(await left()).toEqual([]);
  expect(await bench.store.timelines([staged])).toEqual([null]);
  expect(await bench.store.records(parentId, 'staged', { limit: 9 })).toEqual([]);
  const { merged, state } = await sessions.branches.merge(parentId, branchId);
  expect([merged, state.turnCount]).toEqual([300, 301]);
});

it('a merge that the sweep overtook is told so, and another one does it', async () => {
  const bench = openBench();
  const { cleanup, sessions } = await bench.open(config);
  const [parentId, branchId] = await family(sessions);
  const strategy = onTheWay(250, async () => {
    bench.now += 60_001;
    await cleanup.sweep();
  });
  await expect(sessions.branches.merge(parentId, branchId, { strategy })).rejects.toThrow(
    SessionLeaseError,
  );
  expect((await sessions.manager.getState(parentId)).turnCount).toBe(1);
  const late = onTheWay(300, async () => {
    bench.now += 60_001;
  });
  // Late, and not swept yet: what it staged is still there.
  const { merged } = await sessions.branches.merge(parentId, branchId, { strategy: late });
  expect(merged).toBe(300);
  await cleanup.sweep();
  expect((await sessions.manager.getState(parentId)).turnCount).toBe(301);
});

it('a delete during a merge ends it, and leaves nothing', async () => {
  const bench = openBench();
  const { sessions } = await bench.open(config);
  const [parentId, branchId] = await family(sessions);
  const strategy = onTheWay(250, () => sessions.manager.delete(parentId));
  await expect(sessions.branches.merge(parentId, branchId, { strategy })).rejects.toThrow(
    'not found',
  );
  const own = [1, 2].map((n) => ({ timelineId: `${parentId}.${n}`, from: 1, to: 1_000 }));
  const left = await bench.store.turns(own, { limit: 1_000, order: 'asc' });
  expect(left.map(({ turnId }) => turnId)).toHaveLength(1);
  await sessions.manager.delete(branchId);
  expect(await bench.store.turns(own, { limit: 9, order: 'asc' })).toEqual([]);
});

it('a merge that fills the cap owes what every end owes, small or staged', async () => {
  const bench = openBench();
  for (const batches of [1, 3]) {
    const config = { sessionTtl: 0, maxTurnsPerSession: 100 * batches + 1 };
    const sessions = await createSessions(config, {
      store: bench.store,
      consolidator: { consolidate: async () => ({}) },
    });
    const wide = await createSessions({ sessionTtl: 0 }, { store: bench.store });
    const [parentId, branchId] = await family(wide, batches);
    const { state } = await sessions.branches.merge(parentId, branchId);
    expect([state.status, state.closedReason]).toEqual(['closed', 'turn_limit']);
    expect(await bench.store.records(parentId, 'consolidation', { limit: 9 })).toHaveLength(1);
  }
});
