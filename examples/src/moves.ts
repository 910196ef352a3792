import assert from 'node:assert/strict';
import { createSessions } from '@lexigram/ai-session';

await using sessions = await createSessions();
const { branches, checkpoints, manager } = sessions;

const history = async (id: string): Promise<string> => {
  const { turns } = await manager.getState(id, { turns: 'all' });
  return turns.map(({ content }) => content).join(' ');
};

const { sessionId } = await manager.create({ userId: 'ada' });
for (const [turnId, role] of [
  ['q1', 'user'],
  ['a1', 'assistant'],
  ['q2', 'user'],
  ['a2', 'assistant'],
] as const) {
  await manager.addTurn(sessionId, { turnId, role, content: turnId });
}

// #region rewind
await manager.rewind(sessionId, { toTurn: 'a1' }); // q1 a1: the turn named is the last that is kept
await manager.addTurn(sessionId, { turnId: 'q3', role: 'user', content: 'q3' }); // q1 a1 q3
// #endregion
assert.equal(await history(sessionId), 'q1 a1 q3');

// #region undo
await manager.undo(sessionId); // q1 a1 q2 a2: back before the rewind; q3 goes out of sight with it
await manager.redo(sessionId); // q1 a1 q3
await manager.undo(sessionId); // q1 a1 q2 a2
// #endregion
assert.equal(await history(sessionId), 'q1 a1 q2 a2');

// #region edit
await manager.edit(sessionId, 'q2', 'q2, put better'); // q1 a1 “q2, put better”, under a new turn id
await manager.undo(sessionId);
await manager.regenerate(sessionId, 'a2'); // q1 a1 q2: room for another answer
await manager.addTurn(sessionId, { turnId: 'b2', role: 'assistant', content: 'b2' }); // q1 a1 q2 b2
// #endregion
assert.equal(await history(sessionId), 'q1 a1 q2 b2');

// #region checkpoint
const { checkpointId } = await manager.checkpoint(sessionId, { label: 'before the experiment' });
await manager.addTurn(sessionId, { turnId: 'q4', role: 'user', content: 'q4' }); // q1 a1 q2 b2 q4
await manager.restore(checkpointId); // q1 a1 q2 b2
const { items } = await checkpoints.list(sessionId); // oldest first
// #endregion
assert.equal(await history(sessionId), 'q1 a1 q2 b2');
assert.deepEqual(
  items.map(({ label, turnCount }) => [label, turnCount]),
  [['before the experiment', 4]],
);

// #region diff
await manager.rewind(sessionId, { toTurn: 'a1' });
await manager.addTurn(sessionId, { turnId: 'q5', role: 'user', content: 'q5' });
const now = await manager.checkpoint(sessionId);
const diff = await checkpoints.diff(checkpointId, now.checkpointId);
console.log(diff.common?.turnId, diff.onlyA.count, diff.onlyB.count); // a1 2 1
// #endregion
assert.deepEqual([diff.common?.turnId, diff.onlyA.count, diff.onlyB.count], ['a1', 2, 1]);

// #region fork
const here = await branches.fork(sessionId, 'from here');
const earlier = await branches.fork(sessionId, 'another start', { atTurn: 'q1' });
const saved = await branches.fork(sessionId, 'the experiment', { fromCheckpoint: checkpointId });
const empty = await branches.fork(sessionId, 'from nothing', { atSeq: 0 });
await manager.addTurn(earlier.sessionId, { turnId: 'a1', role: 'assistant', content: 'other a1' });
// #endregion
assert.deepEqual(
  await Promise.all([here, earlier, saved, empty].map(({ sessionId: id }) => history(id))),
  ['q1 a1 q5', 'q1 other a1', 'q1 a1 q2 b2', ''],
);
assert.equal(await history(sessionId), 'q1 a1 q5');
