import { createSessions, isSessionError, type Sessions } from '@lexigram/ai-session';
import { PostgresSessionStore } from '@lexigram/ai-session-stores';
import { expect, it, onTestFinished } from 'vitest';
import { changingStatements } from '../broken/changed-statements.ts';
import { faultsIn } from '../kit/database-faults.ts';
import {
  createPool,
  dropSchema,
  type TestSchema,
  temporarySchema,
} from '../kit/postgres-schema.ts';

const callTimeoutMs = 3_000;

async function open(
  { schema, url }: TestSchema,
  change: (text: string) => string = (text) => text,
): Promise<Sessions> {
  const pool = createPool(url);
  const store = await PostgresSessionStore.open(changingStatements(pool, change), {
    schema,
    callTimeoutMs,
  });
  onTestFinished(async () => {
    await store.close();
    await pool.end();
  });
  return createSessions({}, { store });
}

const hello = { role: 'user', content: 'hello' } as const;

it('tables that are dropped while they are used end each call in its time, and are made when a store is opened', async () => {
  const schema = await temporarySchema();
  const first = await open(schema);
  const ids = Array.from({ length: 8 }, (_, i) => `s${i}`);
  for (const sessionId of ids) await first.manager.create({ userId: 'u', sessionId });
  const subscription = first.events.subscribe();
  await subscription.start;
  let added = 0;
  const errors = new Set<string>();
  let slowest = 0;
  const ended = ids.map(async (id) => {
    for (;;) {
      const start = performance.now();
      try {
        await first.manager.addTurn(id, hello);
        added += 1;
      } catch (error) {
        if (isSessionError(error)) errors.add(error.name);
        else throw error;
        return;
      } finally {
        slowest = Math.max(slowest, performance.now() - start);
      }
    }
  });
  const told = (async () => {
    for await (const { type } of subscription) expect(['turn', 'checkpoint']).toContain(type);
  })().catch((error: unknown) => error);
  while (added < 50) await new Promise((resolve) => setTimeout(resolve, 5));
  await dropSchema(schema.url, schema.schema);
  await Promise.all(ended);
  expect([...errors]).toEqual(['SessionCorruptDataError']);
  expect(slowest).toBeLessThan(callTimeoutMs);
  const gone = { name: 'SessionCorruptDataError', message: expect.stringContaining('are gone') };
  expect(await told).toMatchObject(gone);
  await expect(first.manager.getState('s0')).rejects.toMatchObject(gone);
  await expect(first.manager.create({ userId: 'u' })).rejects.toMatchObject(gone);

  const second = await open(schema);
  await second.manager.create({ userId: 'u', sessionId: 'new' });
  await second.manager.addTurn('new', hello);
  await first.manager.addTurn('new', hello);
  await expect(first.manager.addTurn('s0', hello)).rejects.toThrow('s0');
  await first.manager.create({ userId: 'u', sessionId: 's0' });
  expect((await first.manager.addTurn('s0', hello)).seq).toBe(1);
  expect(await faultsIn(schema.place)).toEqual([]);
});

/** What a session of new tables has, to which nobody said anything, when others write to one of tables that are gone. */
async function writeToTheDead(change: (text: string) => string): Promise<number> {
  const schema = await temporarySchema();
  const first = await open(schema, change);
  await first.manager.create({ userId: 'ada', sessionId: 'gone' });
  await dropSchema(schema.url, schema.schema);
  const second = await open(schema, change);
  await second.manager.create({ userId: 'bob', sessionId: 'new' });
  await first.manager.addTurn('gone', hello).catch(() => {});
  return (await second.manager.getState('new')).turnCount;
}

it('nothing that is known of tables that are gone is written into the sessions of new ones', async () => {
  expect(await writeToTheDead((text) => text)).toBe(0);
});

it('the same check finds what is written by keys that begin anew, whatever the table', async () => {
  const change = (text: string): string =>
    text
      .replace(
        "pg_get_serial_sequence('ai_sessions', 'key'), $1::bigint",
        "pg_get_serial_sequence('ai_sessions', 'key'), 1 + $1::bigint * 0",
      )
      .replace(/ AND tableoid = \d+/, '');
  expect(await writeToTheDead(change)).toBe(1);
});
