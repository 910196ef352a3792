import { type OpenStore, openLasting } from '@lexigram/ai-session-contract';
import { postgresUrl } from '@lexigram/ai-session-servers';
import { type PostgresOptions, PostgresSessionStore } from '@lexigram/ai-session-stores';
import type { Pool } from 'pg';
import { afterAll } from 'vitest';
import { createPool, dropSchema, placeOf, schemaName } from './postgres-schema.ts';

const lent: string[] = [];

afterAll(async () => {
  for (const schema of lent) await dropSchema(await postgresUrl(), schema);
});

/** The URL of an empty schema that goes with the test file: for stores that several processes open. */
export async function emptyPostgresUrl(): Promise<string> {
  const schema = schemaName();
  lent.push(schema);
  return placeOf(await postgresUrl(), schema);
}

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

/** What a store is opened over. */
type Source = Parameters<typeof PostgresSessionStore.open>[0];

interface OtherwiseOptions extends PostgresOptions {
  /** Over what stores are opened; over one pool if left out. */
  readonly source?: () => Promise<Source>;
  /** The URL of another server than that of all tests. */
  readonly server?: () => Promise<string>;
  /** Called for each schema that is made, once its tables are there. */
  readonly onSchema?: (schema: string) => Promise<void>;
}

/** The Postgres store on trial, reached or set up in another way, in an empty schema that nobody else uses meanwhile. */
export function openPostgresOtherwise({
  onSchema = async () => {},
  server = postgresUrl,
  source,
  ...given
}: OtherwiseOptions): OpenStore {
  /** Schemas that are empty again: to make one takes longer than a law. */
  const empty: string[] = [];
  const made: string[] = [];
  /** That of all stores here: a connection takes longer to make than a law to check. */
  let pool: Pool | undefined;

  const makeSchema = async (lent: Pool): Promise<string> => {
    const schema = schemaName();
    made.push(schema);
    await (await PostgresSessionStore.open(lent, { schema })).close();
    await onSchema(schema);
    return schema;
  };
  afterAll(async () => {
    await pool?.end();
    for (const schema of made) await dropSchema(await server(), schema);
  });
  return async ({ clock }) => {
    const url = await server();
    pool ??= createPool(url);
    const lent = pool;
    const schema = empty.pop() ?? (await makeSchema(lent));
    const over = (await source?.()) ?? lent;
    const open = (): Promise<PostgresSessionStore> =>
      PostgresSessionStore.open(over, { ...given, clock, schema });
    return openLasting(open, async () => {
      await emptySchema(lent, schema);
      empty.push(schema);
    });
  };
}

/** The Postgres store on trial. */
export const openPostgres: OpenStore = openPostgresOtherwise({});
