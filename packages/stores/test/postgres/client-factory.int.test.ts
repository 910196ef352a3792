import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSessions, type SessionManager } from '@lexigram/ai-session';
import { bindLaws } from '@lexigram/ai-session-contract';
import { PostgresServer, postgresUrl } from '@lexigram/ai-session-servers';
import { type PostgresOptions, PostgresSessionStore } from '@lexigram/ai-session-stores';
import type {
  PostgresClientFactory,
  PostgresConnection,
} from '@lexigram/ai-session-stores/postgres';
import { Client, Pool } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openPostgresOtherwise } from '../kit/open-postgres.ts';
import { type TestSchema, temporarySchema } from '../kit/postgres-schema.ts';
import { someLaws } from '../kit/some-laws.ts';
import { TcpProxy } from '../kit/tcp-proxy.ts';

async function connect(url: string): Promise<Client> {
  const client = new Client(url);
  await client.connect();
  return client;
}

describe('over a client factory', () => {
  const source = async () => async () => connect(await postgresUrl());
  bindLaws({ describe, it }, openPostgresOtherwise({ source, maxConnections: 4 }), someLaws(1));
});

interface Opened {
  readonly manager: SessionManager;
  readonly store: PostgresSessionStore;
  /** What the factory made, in order. */
  readonly made: readonly Client[];
  /** Of those, the ones that ended. */
  readonly ended: ReadonlySet<Client>;
}

async function openOver(
  { schema, url }: TestSchema,
  options: PostgresOptions = {},
  through: string = url,
): Promise<Opened> {
  const made: Client[] = [];
  const ended = new Set<Client>();
  const factory: PostgresClientFactory = async () => {
    const client = await connect(through);
    client.once('end', () => ended.add(client));
    made.push(client);
    return client;
  };
  const store = await PostgresSessionStore.open(factory, { schema, ...options });
  onTestFinished(() => store.close());
  const { manager } = await createSessions({}, { store });
  return { manager, store, made, ended };
}

const hello = { role: 'user', content: 'hello' } as const;

async function callMany(manager: SessionManager, sessions: number): Promise<void> {
  await Promise.all(Array.from({ length: sessions }, () => manager.create({ userId: 'u' })));
}

it('a factory is called for what is needed at once and no more, and what it made is ended with the store', async () => {
  const { ended, made, manager, store } = await openOver(await temporarySchema(), {
    maxConnections: 3,
  });
  expect(made).toHaveLength(1);
  await callMany(manager, 50);
  expect(made).toHaveLength(3);
  await callMany(manager, 50);
  expect(made).toHaveLength(3);
  expect(ended.size).toBe(0);
  await store.close();
  expect([...ended]).toEqual(expect.arrayContaining([...made]));
});

it('its clients have the time-outs and the durability of the options, but behind a pooler', async () => {
  const asked = `SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
    current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('synchronous_commit') AS sync`;
  const options = {
    statementTimeoutMs: 4_321,
    lockTimeoutMs: 1_234,
    synchronous: 'normal',
  } as const;
  const direct = await openOver(await temporarySchema(), options);
  expect((await direct.made[0]?.query(asked))?.rows).toEqual([
    { statement: '4321ms', lock: '1234ms', idle: '10s', sync: 'off' },
  ]);
  const pooled = await openOver(await temporarySchema(), { ...options, behindPooler: true });
  expect((await pooled.made[0]?.query(asked))?.rows).toEqual([
    { statement: '0', lock: '0', idle: '0', sync: 'on' },
  ]);
});

it('clients that the server or the network ends are replaced, and the process lives on', async () => {
  const schema = await temporarySchema();
  const proxy = await TcpProxy.start(Number(new URL(schema.url).port || 5432));
  onTestFinished(() => proxy.stop());
  const through = new URL(schema.url);
  through.port = String(proxy.port);
  const times = { callTimeoutMs: 1_500, connectTimeoutMs: 1_000, maxConnections: 3 };
  const { ended, made, manager } = await openOver(schema, times, through.href);
  await callMany(manager, 10);
  const first = made.length;
  // Idle ones are dropped when they break: the next call does not meet them.
  const pids = made.map((client) => (client as unknown as { processID: number }).processID);
  await schema.query(
    'SELECT pg_terminate_backend(pid) FROM unnest($1::integer[]) AS k (pid)',
    pids,
  );
  while (ended.size < first) await new Promise((resolve) => setTimeout(resolve, 5));
  await callMany(manager, 10);
  expect(made.length).toBeGreaterThan(first);
  expect(made.length).toBeLessThanOrEqual(2 * first);

  proxy.mode = 'silent';
  await expect(manager.create({ userId: 'u' })).rejects.toMatchObject({ reason: 'unreachable' });
  proxy.mode = 'pass';
  await callMany(manager, 10);
});

it('a password that changes is asked for anew with each connection', async () => {
  const server = await PostgresServer.start({ settings: { fsync: 'off' } });
  onTestFinished(() => server.stop());
  const hba = join(server.folder, 'data', 'pg_hba.conf');
  writeFileSync(hba, `host all app 127.0.0.1/32 scram-sha-256\n${readFileSync(hba, 'utf8')}`);
  const schema = await temporarySchema(server.url);
  await schema.query('CREATE SCHEMA {schema}');
  await schema.query('CREATE ROLE app LOGIN');
  await schema.query('GRANT ALL ON SCHEMA {schema} TO app');
  await schema.query('SELECT pg_reload_conf()');
  let password = '';
  let tokens = 0;
  const rotate = async (): Promise<void> => {
    tokens += 1;
    password = `token-${tokens}`;
    await schema.query(`ALTER ROLE app PASSWORD '${password}'`);
  };
  await rotate();
  const url = new URL(server.url);
  const factory = async (): Promise<Client> => {
    const client = new Client({
      host: '127.0.0.1',
      port: server.port,
      user: 'app',
      password,
      database: url.pathname.slice(1),
    });
    await client.connect();
    return client;
  };
  const store = await PostgresSessionStore.open(factory, { schema: schema.schema });
  onTestFinished(() => store.close());
  const { manager } = await createSessions({}, { store });
  await manager.create({ userId: 'u', sessionId: 's' });
  for (let n = 0; n < 3; n++) {
    await rotate();
    await schema.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'",
    );
    await manager.addTurn('s', hello);
  }
  password = 'no token';
  await schema.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'",
  );
  await expect(manager.addTurn('s', hello)).rejects.toMatchObject({ reason: 'unreachable' });
  await rotate();
  expect(
    (await store.turns([{ timelineId: 's.1', from: 1, to: 9 }], { limit: 9, order: 'asc' })).length,
  ).toBe(3);
});

describe('a factory that cannot be used is refused with what is wrong', () => {
  const options = { callTimeoutMs: 800, connectTimeoutMs: 300 };
  const open = async (factory: () => unknown): Promise<PostgresSessionStore> => {
    const { schema } = await temporarySchema();
    const store = await PostgresSessionStore.open(factory as PostgresClientFactory, {
      ...options,
      schema,
    });
    onTestFinished(() => store.close());
    return store;
  };

  it.each<[what: string, make: () => unknown, name: string, message: string]>([
    ['nothing', () => undefined, 'SessionInputError', 'must resolve with a connected client'],
    [
      'what is no client',
      () => ({ query: () => {} }),
      'SessionInputError',
      'must resolve with a connected client',
    ],
    [
      'an error',
      () => {
        throw new Error('no token');
      },
      'SessionStoreUnavailableError',
      'cannot be reached',
    ],
    [
      'a rejection',
      () => Promise.reject(new Error('no token')),
      'SessionStoreUnavailableError',
      'cannot be reached',
    ],
    [
      'no answer',
      () => new Promise(() => {}),
      'SessionStoreUnavailableError',
      'no client within 300 ms',
    ],
  ])('%s', async (_, make, name, message) => {
    const start = performance.now();
    await expect(open(make)).rejects.toMatchObject({
      name,
      message: expect.stringContaining(message),
    });
    expect(performance.now() - start).toBeLessThan(options.callTimeoutMs + 1_000);
  });

  it('a client that is not connected', async () => {
    const url = await postgresUrl();
    await expect(open(() => new Client(url))).rejects.toMatchObject({
      reason: 'unreachable',
      message: expect.stringContaining('the factory must connect it'),
    });
  });

  it('a pool, or a client of one', async () => {
    const pool = new Pool({ connectionString: await postgresUrl(), max: 1 });
    onTestFinished(() => pool.end());
    const refused = {
      name: 'SessionInputError',
      message: expect.stringContaining('give the pool itself'),
    };
    await expect(open(() => pool)).rejects.toMatchObject(refused);
    const client = await pool.connect();
    await expect(open(() => client)).rejects.toMatchObject(refused);
    client.release();
  });

  it('the same client twice', async () => {
    const client = await connect(await postgresUrl());
    const store = await open(() => client);
    const calls = await Promise.allSettled([1, 2].map((n) => store.session(`s${n}`)));
    expect(calls.map((it) => it.status).sort()).toEqual(['fulfilled', 'rejected']);
    const { reason } = calls.find((it) => it.status === 'rejected') as PromiseRejectedResult;
    expect(reason).toMatchObject({
      name: 'SessionInputError',
      message: expect.stringContaining('second time'),
    });
  });
});

it('a subscription hears through a client of its own; one without events is not asked again', async () => {
  const schema = await temporarySchema();
  const hearing = await openOver(schema, { maxConnections: 1 });
  let calls = 0;
  const deaf = await PostgresSessionStore.open(
    async () => {
      calls += 1;
      const client = await connect(schema.url);
      const plain: PostgresConnection = {
        query: (query) => client.query(query),
        end: () => client.end(),
      };
      return plain;
    },
    { schema: schema.schema, maxConnections: 1 },
  );
  onTestFinished(() => deaf.close());
  await hearing.manager.create({ userId: 'u', sessionId: 's' });
  const told: string[] = [];
  const listened = [hearing.store, deaf].map(async (store) => {
    const { events } = await createSessions({}, { store });
    const subscription = events.subscribe({ sessionId: 's' });
    await subscription.start;
    return { subscription, store };
  });
  for (const listening of listened) {
    const { subscription } = await listening;
    const next = subscription.next();
    // Long enough for several looks without a bell.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const writer = await openOver(schema);
    await writer.manager.addTurn('s', hello);
    told.push(String((await next).value?.type));
    await subscription.return();
  }
  expect(told).toEqual(['turn', 'turn']);
  expect(hearing.made.length).toBe(2);
  expect(calls).toBe(2);
});
