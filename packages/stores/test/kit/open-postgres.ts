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

async function sharedPool(): Promise<Pool> {
  const url = await postgresUrl();
  pool ??= createPool(url);
  return pool;
}

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

/** What a store is opened over. */
type Source = Parameters<typeof PostgresSessionStore.open>[0];

interface OverOptions extends PostgresOptions {
  /** Called for each schema that is made, once its tables are there. */
  readonly onSchema?: (schema: string) => Promise<void>;
}

/** The Postgres store on trial, reached in some way, in an empty schema that nobody else uses meanwhile. */
export function openPostgresOver(
  source: () => Promise<Source>,
  { onSchema, ...given }: OverOptions = {},
): OpenStore {
  return async ({ clock }) => {
    const admin = await sharedPool();
    let schema = empty.pop();
    if (schema === undefined) {
      schema = schemaName();
      made.push(schema);
      if (onSchema !== undefined) {
        await (await PostgresSessionStore.open(admin, { schema })).close();
        await onSchema(schema);
      }
    }
    const name = schema;
    const options: PostgresOptions = { ...given, clock, schema };
    const reached = await source();
    const open = (): Promise<PostgresSessionStore> => PostgresSessionStore.open(reached, options);
    let store = await open();
    return {
      store,
      reopen: async () => {
        store = await open();
        return store;
      },
      dispose: async () => {
        await store.close();
        await emptySchema(admin, name);
        empty.push(name);
      },
    };
  };
}

/** The same over a pool that all stores here share. */
export const openPostgres: OpenStore = openPostgresOver(sharedPool);
