import type { OpenStore } from '@lexigram/ai-session-contract';
import { postgresUrl } from '@lexigram/ai-session-servers';
import { type PostgresOptions, PostgresSessionStore } from '@lexigram/ai-session-stores';
import { Pool } from 'pg';
import { afterAll, onTestFinished } from 'vitest';

/** Rows of a database, read past the store. */
async function queryPostgres<Row>(
  url: string,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> {
  const pool = new Pool({ connectionString: url, max: 1 });
  pool.on('error', () => {});
  try {
    return (await pool.query(sql, values as unknown[])).rows as Row[];
  } finally {
    await pool.end();
  }
}

let schemas = 0;

/** A name for a schema that nobody uses. */
function schemaName(): string {
  schemas += 1;
  return `test_${process.pid}_${Date.now().toString(36)}_${schemas}`;
}

async function dropSchema(url: string, schema: string): Promise<void> {
  await queryPostgres(url, `DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
}

/** A URL of a schema of the running test's own, for processes that it starts. */
export async function emptySchemaUrl(): Promise<string> {
  const url = new URL(await postgresUrl());
  const schema = schemaName();
  onTestFinished(async () => dropSchema(await postgresUrl(), schema));
  url.searchParams.set('schema', schema);
  return url.href;
}

/** Schemas that are empty again: to make one takes longer than a law. */
const empty: string[] = [];
const made: string[] = [];

async function emptySchema(pool: Pool, schema: string): Promise<void> {
  const tables = [
    'sessions',
    'owners',
    'timelines',
    'turns',
    'variables',
    'records',
    'journal',
    'usage',
    'tool_usage',
  ];
  const sql = tables.map((table) => `DELETE FROM "${schema}".ai_${table}`).join('; ');
  await pool.query(sql);
}

/** The pool of all stores here: a connection takes longer to make than a law to check. */
let pool: Pool | undefined;

function createPool(connectionString: string): Pool {
  const made = new Pool({ connectionString, max: 8 });
  made.on('error', () => {});
  return made;
}

afterAll(async () => {
  await pool?.end();
  for (const schema of made) await dropSchema(await postgresUrl(), schema);
});

/** The URL of an empty schema that goes with the test file: for stores that several processes open. */
export async function emptyPostgresUrl(): Promise<string> {
  const url = new URL(await postgresUrl());
  const schema = schemaName();
  made.push(schema);
  url.searchParams.set('schema', schema);
  return url.href;
}

/** The Postgres store on trial, in an empty schema that nobody else uses meanwhile. */
export const openPostgres: OpenStore = async ({ clock }) => {
  const url = await postgresUrl();
  let schema = empty.pop();
  if (schema === undefined) {
    schema = schemaName();
    made.push(schema);
  }
  const name = schema;
  const options: PostgresOptions = { clock, schema };
  pool ??= createPool(url);
  const lent = pool;
  let store = await PostgresSessionStore.open(lent, options);
  return {
    store,
    reopen: async () => {
      store = await PostgresSessionStore.open(lent, options);
      return store;
    },
    dispose: async () => {
      await store.close();
      await emptySchema(lent, name);
      empty.push(name);
    },
  };
};
