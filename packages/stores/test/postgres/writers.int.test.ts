import { createSessions, type SessionManager } from '@lexigram/ai-session';
import { PostgresSessionStore } from '@lexigram/ai-session-stores';
import { expect, it, onTestFinished } from 'vitest';
import { changingStatements, withoutVersion } from '../broken/changed-statements.ts';
import type { Outcome, Round } from '../children/same-head.ts';
import { startChild } from '../kit/children.ts';
import { faultsIn } from '../kit/database-faults.ts';
import { openPlace } from '../kit/open-place.ts';
import { createPool, temporarySchema } from '../kit/postgres-schema.ts';
import { writeSpread } from '../kit/write-spread.ts';
import { countOf } from '../scale.ts';

const names = ['a', 'b', 'c', 'd'];

it('32 writers in four processes: no duplicate, no gap, no reorder, and each read a prefix', async () => {
  const { place } = await temporarySchema();
  const store = await openPlace(place);
  onTestFinished(() => store.close());
  expect(await writeSpread(store, place, countOf('spreadTurns'))).toEqual([]);
});

it('of sixteen writers with the same head exactly one wins, and nothing of the others is written', async () => {
  const { place, query } = await temporarySchema();
  const store = await openPlace(place);
  onTestFinished(() => store.close());
  const { manager } = await createSessions({}, { store });
  let { head } = await manager.create({ userId: 'u', sessionId: 'hot' });
  const script = new URL('../children/same-head.ts', import.meta.url);
  const children = names.map(() => startChild(script, [place, 'hot']));
  for (const child of children) expect(await child.next()).toEqual({ did: 'open' });
  const winners: string[] = [];
  for (let round = 1; round <= countOf('headRounds'); round++) {
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
    for (const lost of outcomes) {
      if (!('error' in lost)) continue;
      const expected = { name: 'SessionConflictError', reason: 'head', head: winner.head };
      expect(lost.error).toMatchObject(expected);
    }
    head = winner.head;
    winners.push(winner.turnId);
  }
  const turns = await query<{ turn_id: string }>(
    'SELECT turn_id FROM {schema}.ai_turns ORDER BY seq',
  );
  expect(turns.map((turn) => turn.turn_id)).toEqual(winners);
  expect(await faultsIn(place)).toEqual([]);
});

it.each([
  { name: 'as it is', change: (text: string) => text, isWhole: true },
  { name: 'without a look at the version', change: withoutVersion, isWhole: false },
])(
  'two stores over pools of somebody else write to one session: $name',
  async ({ change, isWhole }) => {
    const { place, schema, url } = await temporarySchema();
    const pools = [createPool(url), createPool(url)];
    const opened = await Promise.all(
      pools.map((pool) => PostgresSessionStore.open(changingStatements(pool, change), { schema })),
    );
    onTestFinished(async () => {
      await Promise.all(opened.map((store) => store.close()));
      await Promise.all(pools.map((pool) => pool.end()));
    });
    const managers: SessionManager[] = [];
    for (const store of opened) managers.push((await createSessions({}, { store })).manager);
    await managers[0]?.create({ userId: 'u', sessionId: 'hot' });
    const results = await Promise.allSettled(
      managers.flatMap((manager) =>
        Array.from({ length: 5 }, async () => {
          for (let n = 0; n < 10; n++) await manager.addTurn('hot', { role: 'user', content: 'x' });
        }),
      ),
    );
    const failed = results.filter((it) => it.status === 'rejected');
    const faults = [...failed.map((it) => String(it.reason)), ...(await faultsIn(place))];
    if (isWhole) expect(faults).toEqual([]);
    else expect(faults).not.toEqual([]);
  },
);
