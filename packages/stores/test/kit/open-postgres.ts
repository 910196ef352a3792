import type { OpenStore } from '@lexigram/ai-session-contract';
import { postgresUrl } from '@lexigram/ai-session-servers';
import { type PostgresOptions, PostgresSessionStore } from '@lexigram/ai-session-stores';
import type { Pool } from 'pg';
import { afterAll } from 'vitest';
import { createPool, dropSchema, placeOf, schemaName } from './postgres-schema.ts';

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

afterAll(async () => {
  await pool?.end();
  for (const schema of made) await dropSchema(await postgresUrl(), schema);
});

/** The URL of an empty schema that goes with the test file: for stores that several processes open. */
export async function emptyPostgresUrl(): Promise<string> {
  const schema = schemaName();
  made.push(schema);
  return placeOf(await postgresUrl(), schema);
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
