import { createSessions } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { expect, it } from 'vitest';
import type { Outcome, Round } from './children/same-head.ts';
import { startChild } from './kit/children.ts';
import { faultsIn } from './kit/database-faults.ts';
import { query, storedTurns } from './kit/database-rows.ts';
import { temporaryFile } from './kit/folder.ts';
import { countOf } from './scale.ts';

const names = ['a', 'b', 'c', 'd'];

it('four processes append to one session: no gap, no duplicate, each in its own order', async () => {
  const path = temporaryFile();
  await createHotSession(path);
  const count = countOf('turnsPerWriter');
  const script = new URL('./children/append.ts', import.meta.url);
  const children = names.map((name) => startChild(script, [path, 'hot', name, String(count)]));
  for (const child of children) expect(await child.next()).toEqual({ did: 'open' });
  for (const child of children) child.say({ go: true });
  const answered = await Promise.all(children.map((child) => child.next<{ seqs: number[] }>()));
  await Promise.all(children.map((child) => child.ended));

  const store = await SqliteSessionStore.open(path);
  const { manager } = await createSessions({ maxTurnsPerSession: 100_000 }, { store });
  const { turns } = await manager.getState('hot', { turns: 'all' });
  await store.close();
  expect(turns.map((turn) => turn.seq)).toEqual(
    Array.from({ length: names.length * count }, (_, i) => i + 1),
  );
  for (const [i, name] of names.entries()) {
    const own = turns.filter((turn) => turn.turnId.startsWith(name));
    const order = Array.from({ length: count }, (_, n) => `${name} ${n + 1}`);
    expect(own.map((turn) => turn.content)).toEqual(order);
    expect(answered[i]).toEqual({ seqs: own.map((turn) => turn.seq) });
  }
  expect(await faultsIn(path)).toEqual([]);
});

it('of sixteen writers with the same head exactly one wins, and nothing of the others is written', async () => {
  const path = temporaryFile();
  let head = await createHotSession(path);
  const script = new URL('./children/same-head.ts', import.meta.url);
  const children = names.map(() => startChild(script, [path, 'hot']));
  for (const child of children) expect(await child.next()).toEqual({ did: 'open' });

  const rounds = countOf('headRounds');
  const winners: string[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const [i, child] of children.entries()) {
      const writers = [0, 1, 2, 3].map((n) => `${names[i]}${n}`);
      child.say({ round, head, writers } satisfies Round);
    }
    const said = await Promise.all(
      children.map((child) => child.next<{ outcomes: readonly Outcome[] }>()),
    );
    const outcomes = said.flatMap((it) => it.outcomes);
    const won = outcomes.filter((it) => 'head' in it);
    expect(won, `winners of round ${round}`).toHaveLength(1);
    const winner = won[0] as Extract<Outcome, { head: Round['head'] }>;
    expect(winner.head).toEqual({ ...head, seq: round, turnId: winner.turnId });
    const lost = outcomes.filter((it) => 'error' in it);
    expect(lost).toHaveLength(15);
    for (const { error } of lost) {
      const expected = { name: 'SessionConflictError', reason: 'head', head: winner.head };
      expect(error).toMatchObject(expected);
    }
    head = winner.head;
    winners.push(winner.turnId);
  }

  expect(storedTurns(path).map((turn) => turn.turnId)).toEqual(winners);
  const operations = query<{ key: string }>(
    path,
    "SELECT key FROM ai_records WHERE kind = 'operation'",
  );
  expect(operations.map((record) => record.key).sort()).toEqual(winners.toSorted());
  expect(await faultsIn(path)).toEqual([]);
  const store = await SqliteSessionStore.open(path);
  const { manager } = await createSessions({}, { store });
  const { revision, variables } = await manager.getState('hot');
  expect(revision).toBe(1 + rounds);
  expect(Object.keys(variables).sort()).toEqual(winners.toSorted());
  await store.close();
});

async function createHotSession(path: string): Promise<Round['head']> {
  const store = await SqliteSessionStore.open(path);
  const { manager } = await createSessions({}, { store });
  const { head } = await manager.create({ userId: 'u', sessionId: 'hot' });
  await store.close();
  return head;
}
