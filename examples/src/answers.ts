import assert from 'node:assert/strict';
import { createSessions } from '@lexigram/ai-session';

await using sessions = await createSessions();
const { manager } = sessions;
const { sessionId } = await manager.create({ userId: 'ada' });

/** Stands for a model. */
const answer = async (content: string): Promise<string> => {
  const { turn } = await manager.addTurn(sessionId, { role: 'assistant', content });
  return turn.turnId;
};

const shown = async (): Promise<string> => {
  const { turns } = await manager.getState(sessionId, { turns: 'all' });
  return turns.map(({ content }) => content).join(' → ');
};

// #region regenerate
const asked = await manager.addTurn(sessionId, { role: 'user', content: 'A name for a cat?' });
const first = await answer('Minka');
await manager.regenerate(sessionId, first); // room for another answer; the first one stays where it is
const second = await answer('Pixel');
await manager.regenerate(sessionId, second);
const third = await answer('Otto');
// #endregion
assert.equal(await shown(), 'A name for a cat? → Otto');

// #region switch
const { items } = await manager.siblings(sessionId, third);
const place = items.findIndex(({ turnId }) => turnId === third) + 1;
console.log(
  `‹ ${place}/${items.length} ›`,
  items.map(({ content }) => content),
); // ‹ 3/3 › [ 'Minka', 'Pixel', 'Otto' ]
await manager.select(sessionId, first); // ‹ 1/3 ›
await manager.addTurn(sessionId, { role: 'user', content: 'I like that one.' });
await manager.select(sessionId, second); // ‹ 2/3 ›
await manager.select(sessionId, first); // with what was said after it
// #endregion
assert.deepEqual(
  items.map(({ content }) => content),
  ['Minka', 'Pixel', 'Otto'],
);
assert.equal(await shown(), 'A name for a cat? → Minka → I like that one.');

// #region edit
const edited = await manager.edit(sessionId, asked.turn.turnId, 'A name for a grey cat?');
await answer('Ash'); // under the new question
const wordings = await manager.siblings(sessionId, edited.head.turnId ?? '');
await manager.select(sessionId, asked.turn.turnId); // back to the old question, and the newest of its answers
// #endregion
assert.equal(wordings.items.length, 2);
assert.equal(await shown(), 'A name for a cat? → Minka → I like that one.');
await manager.undo(sessionId);
assert.equal(await shown(), 'A name for a grey cat? → Ash');
