import { createSessions, type SessionManager } from '@lexigram/ai-session';
import { bindLaws } from '@lexigram/ai-session-contract';
import { PostgresServer } from '@lexigram/ai-session-servers';
import { DatabaseSessionStore, PostgresSessionStore } from '@lexigram/ai-session-stores';
import { Client, type Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { faultsIn } from '../kit/database-faults.ts';
import { documentedSql } from '../kit/documented-sql.ts';
import { openPostgresOtherwise } from '../kit/open-postgres.ts';
import { createPool, placeOf, schemaName, temporarySchema } from '../kit/postgres-schema.ts';
import { someLaws } from '../kit/some-laws.ts';

/** Roles are a whole server's: so these tests have one of their own. */
let server: PostgresServer;
let admin: Pool;

beforeAll(async () => {
  server = await PostgresServer.start({ settings: { fsync: 'off' } });
  admin = createPool(server.url);
});

afterAll(async () => {
  await admin.end();
  await server.stop();
});

const serverUrl = async (): Promise<string> => server.url;

function urlOf(role: string, schema: string): string {
  const url = new URL(placeOf(server.url, schema));
  url.username = role;
  return url.href;
}

/** The statements of a section of the documentation, for other names. */
function documented(heading: string, names: Readonly<Record<string, string>>): string {
  const sql = documentedSql('postgres.md', heading);
  return sql.replaceAll(/\bchat(?:_owner|_app)?\b/g, (name) => names[name] ?? name);
}

const namesOf = (chat: string): Readonly<Record<string, string>> => ({
  chat,
  chat_owner: `${chat}_owner`,
  chat_app: `${chat}_app`,
});

/** A schema of an owner, and a role with the rights that the documentation gives to an application. */
async function setUp() {
  const chat = schemaName();
  await admin.query(documented('Roles', namesOf(chat)));
  return {
    schema: chat,
    owner: urlOf(`${chat}_owner`, chat),
    app: urlOf(`${chat}_app`, chat),
    appRole: `${chat}_app`,
  };
}

const hello = { role: 'user', content: 'hello' } as const;

async function open(place: string): Promise<SessionManager> {
  const store = await DatabaseSessionStore.open(place);
  onTestFinished(() => store.close());
  return (await createSessions({}, { store })).manager;
}

it('a role without the right to make tables is told so, and runs once they are made', async () => {
  const { app, owner, schema } = await setUp();
  await expect(open(app)).rejects.toMatchObject({
    name: 'SessionStoreUnavailableError',
    reason: 'read_only',
    message: expect.stringContaining("'Roles' in docs/postgres.md"),
  });
  await open(owner);
  const manager = await open(app);
  await manager.create({ userId: 'u', sessionId: 's' });
  await manager.addTurn('s', hello);
  expect(await faultsIn(placeOf(server.url, schema))).toEqual([]);
});

it.each([
  ['use the schema', 'REVOKE USAGE ON SCHEMA {schema} FROM {role}'],
  ['write turns', 'REVOKE INSERT ON {schema}.ai_turns FROM {role}'],
])('a role that may no longer %s is told so, and no call hangs', async (_, revoke) => {
  const { app, appRole, owner, schema } = await setUp();
  await open(owner);
  const manager = await open(app);
  await manager.create({ userId: 'u', sessionId: 's' });
  await manager.addTurn('s', hello);
  await admin.query(revoke.replace('{schema}', `"${schema}"`).replace('{role}', `"${appRole}"`));
  await expect(manager.addTurn('s', hello)).rejects.toMatchObject({
    reason: 'read_only',
    message: expect.stringContaining('the role may not do this'),
  });
});

describe('with the rights of an application and no others', () => {
  let pool: Pool | undefined;
  afterAll(() => pool?.end());
  const role = 'least_rights';
  const onSchema = async (schema: string): Promise<void> => {
    await admin.query(`DO $$ BEGIN
      IF to_regrole('${role}') IS NULL THEN CREATE ROLE ${role} LOGIN; END IF; END $$;
      GRANT USAGE ON SCHEMA "${schema}" TO ${role};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "${schema}" TO ${role}`);
  };
  const source = async (): Promise<Pool> => {
    pool ??= createPool(server.url.replace('test@', `${role}@`));
    return pool;
  };
  const openStore = openPostgresOtherwise({ server: serverUrl, onSchema, source });
  bindLaws({ describe, it }, openStore, someLaws(2));
});

describe('for a role whose settings are strange', () => {
  let pool: Pool | undefined;
  afterAll(() => pool?.end());
  const role = 'strange';
  const source = async (): Promise<Pool> => {
    if (pool === undefined) {
      const settings = {
        search_path: "'nowhere, pg_temp'",
        default_transaction_isolation: "'serializable'",
        default_transaction_deferrable: 'on',
        DateStyle: "'SQL, DMY'",
        IntervalStyle: "'sql_standard'",
        TimeZone: "'Pacific/Chatham'",
        extra_float_digits: '-15',
        transform_null_equals: 'on',
        bytea_output: "'escape'",
        standard_conforming_strings: 'off',
        row_security: 'off',
        enable_indexscan: 'off',
        plan_cache_mode: "'force_generic_plan'",
        lc_messages: "'C'",
      };
      await admin.query(`CREATE ROLE ${role} LOGIN SUPERUSER`);
      for (const [name, value] of Object.entries(settings)) {
        await admin.query(`ALTER ROLE ${role} SET ${name} = ${value}`);
      }
      pool = createPool(server.url.replace('test@', `${role}@`));
    }
    return pool;
  };
  const openStore = openPostgresOtherwise({ server: serverUrl, source });
  bindLaws({ describe, it }, openStore, someLaws(3));
});

it.each(['user', 'select', '_', 'order', `a${'_1'.repeat(31)}`, 'public'])(
  'a schema may be called %s',
  async (schema) => {
    const place = placeOf(server.url, schema);
    const manager = await open(place);
    await manager.create({ userId: 'u', sessionId: 's' });
    await manager.addTurn('s', hello);
    const store = await DatabaseSessionStore.open(place);
    onTestFinished(() => store.close());
    const { events } = await createSessions({}, { store });
    const subscription = events.subscribe({ sessionId: 's' });
    await subscription.start;
    await manager.addTurn('s', hello);
    expect((await subscription.next()).value).toMatchObject({ type: 'turn' });
    await subscription.return();
    expect(await faultsIn(place)).toEqual([]);
  },
);

it('what the role sets for time-outs holds where the store sets none, and is told as what it is', async () => {
  const { appRole, app, owner, schema } = await setUp();
  await admin.query(`ALTER ROLE "${appRole}" SET lock_timeout = '150ms'`);
  await open(owner);
  const manager = await open(`${app}&pooler=transaction`);
  await manager.create({ userId: 'u', sessionId: 's' });
  await manager.addTurn('s', hello);
  const client = await admin.connect();
  onTestFinished(() => client.release(true));
  await client.query(`BEGIN; SELECT FROM "${schema}".ai_sessions FOR UPDATE`);
  const start = performance.now();
  await expect(manager.addTurn('s', hello)).rejects.toMatchObject({ reason: 'locked' });
  expect(performance.now() - start).toBeLessThan(2_000);
  await admin.query(`ALTER ROLE "${appRole}" RESET lock_timeout`);
  await admin.query(`ALTER ROLE "${appRole}" SET statement_timeout = '150ms'`);
  const other = await open(`${app}&pooler=transaction`);
  await expect(other.addTurn('s', hello)).rejects.toMatchObject({ reason: 'unreachable' });
  // What was sent last is cancelled by then.
  await new Promise((resolve) => setTimeout(resolve, 500));
  await client.query('ROLLBACK');
  expect((await other.addTurn('s', hello)).seq).toBe(2);
});

it('the time-outs that are documented for behind a pooler are those that the store sets else', async () => {
  const { appRole, schema } = await setUp();
  await admin.query(documented('Poolers', namesOf(schema)));
  const url = server.url.replace('test@', `${appRole}@`);
  const pool = createPool(url);
  onTestFinished(() => pool.end());
  const asked = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'];
  const told: unknown[] = [];
  for (const name of asked) told.push((await pool.query(`SHOW ${name}`)).rows[0]?.[name]);
  expect(told).toEqual(['5s', '2s', '10s']);
});

it('where the server would lose what was acknowledged the store sets it right, or warns', async () => {
  const { appRole, owner, schema } = await setUp();
  await open(owner);
  await admin.query(`ALTER ROLE "${appRole}" SET synchronous_commit = off`);
  const url = server.url.replace('test@', `${appRole}@`);
  const made: Client[] = [];
  const factory = async (): Promise<Client> => {
    const client = new Client(url);
    await client.connect();
    made.push(client);
    return client;
  };
  const found: unknown[] = [];
  for (const synchronous of ['full', 'normal'] as const) {
    const store = await PostgresSessionStore.open(factory, { schema, synchronous });
    const shown = await made.at(-1)?.query('SHOW synchronous_commit');
    found.push(shown?.rows[0]?.synchronous_commit);
    await store.close();
  }
  expect(found).toEqual(['on', 'off']);

  const warned = new Promise<unknown>((resolve) => {
    process.once('warning', (warning) => resolve((warning as NodeJS.ErrnoException).code));
  });
  const pool = createPool(url);
  onTestFinished(() => pool.end());
  await (await PostgresSessionStore.open(pool, { schema })).close();
  expect(await warned).toBe('LEX_POSTGRES_SYNCHRONOUS');
});

it('a database that takes no writes is told as that, its reads go on, and later its writes', async () => {
  const { place, query, schema } = await temporarySchema(server.url);
  await query('CREATE SCHEMA {schema}');
  await query('CREATE ROLE reads LOGIN');
  await query('GRANT ALL ON SCHEMA {schema} TO reads');
  const url = server.url.replace('test@', 'reads@');
  const pool = createPool(url);
  onTestFinished(() => pool.end());
  const set = async (value: string): Promise<void> => {
    await query(`ALTER ROLE reads SET default_transaction_read_only = ${value}`);
    await query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reads'");
  };
  const refused = { name: 'SessionStoreUnavailableError', reason: 'read_only' };
  await set('on');
  await expect(PostgresSessionStore.open(pool, { schema })).rejects.toMatchObject(refused);
  await set('off');
  const manager = await open(placeOf(url, schema));
  await manager.create({ userId: 'u', sessionId: 's' });
  await manager.addTurn('s', hello);
  await set('on');
  await expect(PostgresSessionStore.open(pool, { schema })).rejects.toMatchObject(refused);
  await expect(manager.addTurn('s', hello)).rejects.toMatchObject(refused);
  await expect(manager.create({ userId: 'u' })).rejects.toMatchObject(refused);
  expect((await manager.getState('s')).turnCount).toBe(1);
  await set('off');
  expect((await manager.addTurn('s', hello)).seq).toBe(2);
  expect(await faultsIn(place)).toEqual([]);
});
