import { createSessions, type Sessions } from '@lexigram/ai-session';
import { PostgresSessionStore } from '@lexigram/ai-session-stores';
import type { Pool } from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { createPool, temporarySchema } from '../kit/postgres-schema.ts';

const turn = { role: 'user', content: 'x' } as const;

/** Services over a pool of one connection, and how often that was handed out. */
async function openOverOne(): Promise<{ sessions: Sessions; pool: Pool; lent: () => number }> {
  const { schema, url } = await temporarySchema();
  const pool = createPool(url, 1);
  let count = 0;
  pool.on('acquire', () => {
    count += 1;
  });
  const store = await PostgresSessionStore.open(pool, { schema });
  onTestFinished(async () => {
    await store.close();
    await pool.end();
  });
  return { sessions: await createSessions({}, { store }), pool, lent: () => count };
}

it('a connection is kept for the statement that comes at once, and given back when none comes', async () => {
  const { lent, pool, sessions } = await openOverOne();
  const { sessionId } = await sessions.manager.create({ userId: 'u' });
  const before = lent();
  for (let n = 0; n < 50; n++) await sessions.manager.addTurn(sessionId, turn);
  expect(lent() - before).toBeLessThan(50);
  for (let n = 0; n < 3; n++) await new Promise((resolve) => setImmediate(resolve));
  expect(pool.idleCount).toBe(1);
});

it('others who wait for the connection have it, however many statements come one after another', async () => {
  const { pool, sessions } = await openOverOne();
  const { sessionId } = await sessions.manager.create({ userId: 'u' });
  let isServed = false;
  let turns = 0;
  const writing = (async () => {
    for (; !isServed && turns < 5_000; turns++) await sessions.manager.addTurn(sessionId, turn);
  })();
  const { rows } = await pool.query('SELECT 1 AS one');
  isServed = true;
  await writing;
  expect(rows).toEqual([{ one: 1 }]);
  expect(turns).toBeLessThan(5_000);
});

it('a store that is closed keeps no connection of a pool', async () => {
  const { schema, url } = await temporarySchema();
  const pool = createPool(url, 1);
  const store = await PostgresSessionStore.open(pool, { schema });
  const { manager } = await createSessions({}, { store });
  await manager.create({ userId: 'u' });
  await store.close();
  expect(pool.idleCount).toBe(1);
  await pool.end();
});
