import assert from 'node:assert/strict';
import {
  createSessions,
  type MergeStrategy,
  SelectiveMerge,
  SummaryMerge,
} from '@lexigram/ai-session';

await using sessions = await createSessions();
const { branches, manager } = sessions;

const say = (turnId: string) => ({ turnId, role: 'user' as const, content: turnId });
const history = async (id: string): Promise<string> => {
  const { turns } = await manager.getState(id, { turns: 'all' });
  return turns.map(({ content }) => content).join(' ');
};

// #region merge
const { sessionId: trip } = await manager.create({ userId: 'ada', variables: { city: 'Rome' } });
await manager.addTurn(trip, say('q1'));
const train = await branches.fork(trip, 'by train');
await manager.addTurn(train.sessionId, say('t1'), { variables: { by: 'train' } });
await manager.addTurn(train.sessionId, say('t2'));
await manager.addTurn(trip, say('q2')); // meanwhile

const { merged, state } = await branches.merge(trip, train.sessionId);
console.log(merged, state.variables); // 2 { city: 'Rome', by: 'train' }
// q1 q2 t1 t2; t1 and t2 are copies that know their origin
await branches.merge(trip, train.sessionId); // brings nothing, changes nothing
await manager.undo(trip); // q1 q2, and the variables as they were
// #endregion
assert.equal(merged, 2);
assert.deepEqual(state.variables, { city: 'Rome', by: 'train' });
assert.equal(await history(trip), 'q1 q2');

// #region diff
const diff = await branches.diff(trip, train.sessionId);
console.log(diff.common?.turnId, diff.onlyA.count, diff.onlyB.count); // q1 1 2
console.log(diff.variables); // { set: { by: 'train' } }
// #endregion
assert.deepEqual([diff.common?.turnId, diff.onlyA.count, diff.onlyB.count], ['q1', 1, 2]);
assert.deepEqual(diff.variables, { set: { by: 'train' } });

// #region strategies
await branches.merge(trip, train.sessionId, { strategy: new SelectiveMerge(['t2']) }); // q1 q2 t2
await branches.merge(trip, train.sessionId); // q1 q2 t2 t1: what was not there yet
await manager.undo(trip);
await manager.undo(trip);
const strategy = new SummaryMerge(async (turns) => `${turns.length} turns about trains`);
await branches.merge(trip, train.sessionId, { strategy }); // q1 q2, and one turn for the others
// #endregion
assert.equal(await history(trip), 'q1 q2 2 turns about trains');

// #region own-strategy
const lastOnly: MergeStrategy = {
  async merge({ missing }) {
    const turns = [];
    for await (const turn of missing()) turns.push(turn);
    const heading = { turn: { role: 'system' as const, content: `of ${turns.length} turns` } };
    return { turns: turns.length === 0 ? [] : [heading, ...turns.slice(-1)] };
  },
};
await manager.addTurn(train.sessionId, say('t3'));
await branches.merge(trip, train.sessionId, { strategy: lastOnly });
// #endregion
assert.equal(await history(trip), 'q1 q2 2 turns about trains of 1 turns t3');

// #region conflicts
await manager.setVariables(trip, { city: 'Naples' });
await manager.setVariables(train.sessionId, { city: 'Milan' });
const { conflicts } = await branches.merge(trip, train.sessionId, {
  onConflict: ({ parent }) => parent, // or 'branch', 'parent', 'error'
});
console.log(conflicts); // [ { key: 'city', base: 'Rome', parent: 'Naples', branch: 'Milan', merged: 'Naples' } ]
// #endregion
assert.deepEqual(conflicts, [
  { key: 'city', base: 'Rome', parent: 'Naples', branch: 'Milan', merged: 'Naples' },
]);

// #region tree
const { items } = await branches.tree(trip);
for (const item of items) {
  if (item.type === 'session') console.log(item.sessionId, item.branchName, item.head?.seq);
  if (item.type === 'timeline') console.log('  ', item.timelineId, item.base, item.end.seq);
  if (item.type === 'checkpoint') console.log('  ', item.label, item.point.seq);
}
// #endregion
assert.equal(items.filter(({ type }) => type === 'session').length, 2);
