import { createSessions } from '@lexigram/ai-session';
import { PostgresSessionStore } from '@lexigram/ai-session-stores';
import { expect, it, onTestFinished } from 'vitest';
import { changingStatements, withoutIds } from '../broken/changed-statements.ts';
import { startChild } from '../kit/children.ts';
import { faultsIn } from '../kit/database-faults.ts';
import { openPlace } from '../kit/open-place.ts';
import { createPool, placeOf, type TestSchema, temporarySchema } from '../kit/postgres-schema.ts';
import { randomOf } from '../kit/random.ts';
import { TcpProxy } from '../kit/tcp-proxy.ts';
import { countOf } from '../scale.ts';

const ids = Array.from({ length: 10 }, (_, i) => `s${i}`);
const script = new URL('../children/send-copies.ts', import.meta.url);

/** Makes the sessions, and answers the keys of turns. */
async function prepare({ place }: TestSchema, count: number): Promise<readonly string[]> {
  const store = await openPlace(place);
  const { manager } = await createSessions({}, { store });
  for (const sessionId of ids) await manager.create({ userId: 'u', sessionId });
  await store.close();
  return Array.from({ length: count }, (_, i) => `k${i}`);
}

async function storedKeys({ query }: TestSchema): Promise<readonly string[]> {
  const rows = await query<{ turn_id: string }>('SELECT turn_id FROM {schema}.ai_turns');
  return rows.map((row) => row.turn_id);
}

it('five copies of each turn, a third of the answers cut, the process killed: each turn once', async () => {
  const schema = await temporarySchema();
  const keys = await prepare(schema, countOf('repeatedKeys'));
  const proxy = await TcpProxy.start(Number(new URL(schema.url).port || 5432));
  onTestFinished(() => proxy.stop());
  const place = placeOf(schema.url, schema.schema, proxy.port);
  const random = randomOf(42);
  const left = new Set(keys);
  let kills = 0;
  while (left.size > 0) {
    proxy.cutsAnswer = () => false;
    const child = startChild(script, [place, ids.join(), ...left]);
    expect(await child.next()).toEqual({ did: 'open' });
    proxy.cutsAnswer = () => random.between(1, 3) === 1;
    let until =
      kills < countOf('repeatKills')
        ? random.between(1, Math.ceil(keys.length / countOf('repeatKills')))
        : Number.POSITIVE_INFINITY;
    for await (const { key } of child.messages<{ key?: string }>()) {
      if (key === undefined) continue;
      left.delete(key);
      until -= 1;
      if (until === 0) {
        kills += 1;
        child.kill();
      }
    }
    const { code, errors, signal } = await child.ended;
    expect({ errors, ended: signal ?? code }).toEqual({
      errors: '',
      ended: until > 0 ? 0 : 'SIGKILL',
    });
  }
  expect(kills).toBe(countOf('repeatKills'));
  expect((await storedKeys(schema)).toSorted()).toEqual(keys.toSorted());
  expect(await faultsIn(schema.place)).toEqual([]);
});

it('the same check finds turns that are there twice, if nothing keeps their ids apart', async () => {
  const schema = await temporarySchema();
  const keys = await prepare(schema, 30);
  for (let process = 1; process <= 2; process++) {
    const pool = createPool(schema.url, 4);
    const changed = changingStatements(pool, withoutIds);
    const store = await PostgresSessionStore.open(changed, { schema: schema.schema });
    onTestFinished(async () => {
      await store.close();
      await pool.end();
    });
    const { manager } = await createSessions({}, { store });
    for (const [i, key] of keys.entries()) {
      const turn = { turnId: key, role: 'user', content: key } as const;
      await manager.addTurn(ids[i % ids.length] as string, turn);
    }
  }
  expect((await storedKeys(schema)).length).toBeGreaterThan(keys.length);
});

it('ids that share a place in the index of ids are told apart', async () => {
  const schema = await temporarySchema();
  await prepare(schema, 0);
  const [pair] = await schema.query<{ one: string; other: string }>(
    `SELECT min(id) AS one, max(id) AS other FROM (SELECT 'k' || n AS id FROM generate_series(1, 100000) n) k
     GROUP BY hashtext(id) & 16777215 HAVING count(*) = 2 LIMIT 1`,
  );
  const { one = '', other = '' } = pair ?? {};
  for (const id of [one, other, one, other]) {
    const store = await openPlace(schema.place);
    const { manager } = await createSessions({}, { store });
    const turn = { turnId: id, role: 'user', content: id } as const;
    const { turn: stored } = await manager.addTurn('s1', turn);
    expect(stored.content).toBe(id);
    expect((await store.findTurns(id, ['s1'])).map(({ turnId }) => turnId)).toEqual([id]);
    await store.close();
  }
  expect((await storedKeys(schema)).toSorted()).toEqual([one, other].toSorted());
  expect(one).not.toBe(other);
});
