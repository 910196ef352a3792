import { createSessions, type Sessions } from '@lexigram/ai-session';
import { bindLaws } from '@lexigram/ai-session-contract';
import { PgBouncer, postgresUrl } from '@lexigram/ai-session-servers';
import { PostgresSessionStore } from '@lexigram/ai-session-stores';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { faultsIn } from '../../kit/database-faults.ts';
import { followEvents } from '../../kit/follow-events.ts';
import { openPlace } from '../../kit/open-place.ts';
import { openPostgresOtherwise } from '../../kit/open-postgres.ts';
import {
  createPool,
  placeOf,
  type TestSchema,
  temporarySchema,
} from '../../kit/postgres-schema.ts';
import { someLaws } from '../../kit/some-laws.ts';
import { writeSpread } from '../../kit/write-spread.ts';
import { countOf } from '../../scale.ts';

const poolSize = 4;
let bouncer: PgBouncer;

beforeAll(async () => {
  bouncer = await PgBouncer.start({
    target: await postgresUrl(),
    settings: { default_pool_size: poolSize },
  });
});

afterAll(() => bouncer.stop());

const source = async (): Promise<string> => bouncer.url;

function placeThrough({ schema }: TestSchema): string {
  return `${placeOf(bouncer.url, schema)}&pooler=transaction`;
}

describe('through a pooler in transaction mode', () => {
  const openStore = openPostgresOtherwise({ source, behindPooler: true, maxConnections: 4 });
  bindLaws({ describe, it }, openStore, someLaws(4));
});

it('32 writers in four processes share a few connections of the server, and nothing is lost', async () => {
  const schema = await temporarySchema();
  const place = placeThrough(schema);
  const store = await openPlace(place);
  onTestFinished(() => store.close());
  expect(await writeSpread(store, place, countOf('spreadTurns') / 4)).toEqual([]);
  const admin = createPool(bouncer.adminUrl, 1);
  onTestFinished(() => admin.end());
  const { rows } = await admin.query<{ database: string; sv_active: number; sv_idle: number }>(
    'SHOW POOLS',
  );
  const servers = rows
    .filter(({ database }) => database !== 'pgbouncer')
    .map((row) => Number(row.sv_active) + Number(row.sv_idle));
  expect(servers).toHaveLength(1);
  expect(servers[0]).toBeLessThanOrEqual(poolSize);
});

it('subscribers in two processes miss nothing, whoever is killed', async () => {
  const place = placeThrough(await temporarySchema());
  const count = countOf('followedChanges') / 2;
  const { events, faults } = await followEvents(place, { count, kills: 2 });
  expect(faults).toEqual([]);
  expect(events).toBeGreaterThanOrEqual(count * 0.9);
});

const hello = { role: 'user', content: 'hello' } as const;

/** Who listens to a schema, as the server has it. */
async function listenersOf({ query, schema }: TestSchema): Promise<number> {
  const rows = await query(
    "SELECT 1 FROM pg_stat_activity WHERE query = 'LISTEN \"lexigram_' || $1 || '\"'",
    schema,
  );
  return rows.length;
}

async function openBehind(
  { schema }: TestSchema,
  directUrl?: string,
): Promise<Sessions & { readonly store: PostgresSessionStore }> {
  const options = { schema, behindPooler: true, directUrl };
  const store = await PostgresSessionStore.open(bouncer.url, options);
  onTestFinished(() => store.close());
  return { ...(await createSessions({}, { store })), store };
}

it.each([
  { name: 'nobody listens', direct: false },
  { name: 'with a direct URL one connection does', direct: true },
])('events of other processes are told: $name', async ({ direct }) => {
  const schema = await temporarySchema();
  const { events, manager, store } = await openBehind(schema, direct ? schema.url : undefined);
  await manager.create({ userId: 'u', sessionId: 's' });
  const subscription = events.subscribe({ sessionId: 's' });
  await subscription.start;
  const listeners = direct ? 1 : 0;
  while ((await listenersOf(schema)) < listeners) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const other = await openBehind(schema);
  for (let n = 1; n <= 5; n++) {
    const next = subscription.next();
    await other.manager.addTurn('s', hello);
    expect((await next).value).toMatchObject({ type: 'turn', turn: { seq: n } });
  }
  expect(await listenersOf(schema)).toBe(listeners);
  await store.close();
  while ((await listenersOf(schema)) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
});

it('a pooler that nobody told of is noticed, by a URL and by a pool', async () => {
  const { schema } = await temporarySchema();
  const told = {
    name: 'SessionUnsupportedError',
    message: expect.stringContaining('?pooler=transaction'),
  };
  const start = performance.now();
  await expect(PostgresSessionStore.open(bouncer.url, { schema })).rejects.toMatchObject(told);
  expect(performance.now() - start).toBeLessThan(2_000);
  const pool = createPool(bouncer.url, 10);
  onTestFinished(() => pool.end());
  const using = async (): Promise<void> => {
    const store = await PostgresSessionStore.open(pool, { schema });
    onTestFinished(() => store.close());
    const { manager } = await createSessions({}, { store });
    await Promise.all(Array.from({ length: 50 }, () => manager.create({ userId: 'u' })));
  };
  await expect(using()).rejects.toMatchObject(told);
});

it('while the pooler is away calls end in their time, and go on when it is back', async () => {
  const schema = await temporarySchema();
  const own = await PgBouncer.start({ target: schema.url });
  onTestFinished(() => own.stop());
  const store = await PostgresSessionStore.open(own.url, {
    schema: schema.schema,
    behindPooler: true,
    callTimeoutMs: 1_000,
  });
  onTestFinished(() => store.close());
  const { manager } = await createSessions({}, { store });
  await manager.create({ userId: 'u', sessionId: 's' });
  await manager.addTurn('s', hello);
  await own.kill();
  const start = performance.now();
  await expect(manager.addTurn('s', hello)).rejects.toMatchObject({ reason: 'unreachable' });
  expect(performance.now() - start).toBeLessThan(3_000);
  await own.restart();
  expect((await manager.addTurn('s', hello)).seq).toBe(2);
  expect(await faultsIn(schema.place)).toEqual([]);
});

it.each([
  [{ directUrl: 'postgres://localhost/db' }, 'with behindPooler'],
  [{ behindPooler: true, directUrl: 'mysql://u:s3cr3t@localhost/db' }, 'expected a URL'],
  [{ behindPooler: true, directUrl: 7 as unknown as string }, 'expected a URL'],
])('a direct URL that cannot be used is refused: %o', async (options, message) => {
  const error = await PostgresSessionStore.open(bouncer.url, options).catch((it) => it as Error);
  expect(error).toMatchObject({
    name: 'SessionInputError',
    message: expect.stringContaining(message),
  });
  expect(String(error)).not.toContain('s3cr3t');
});
