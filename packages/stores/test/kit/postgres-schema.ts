import { postgresUrl } from '@lexigram/ai-session-servers';
import { DatabaseError, Pool } from 'pg';
import { onTestFinished } from 'vitest';

/** A schema that is the running test's own, dropped when it ends. */
export interface TestSchema {
  /** For `DatabaseSessionStore.open`. */
  readonly place: string;
  /** The server's URL, without the schema. */
  readonly url: string;
  readonly schema: string;
  /** Rows, read past the store. Statements name tables as `{schema}.ai_turns`. */
  query<Row>(sql: string, ...values: readonly unknown[]): Promise<readonly Row[]>;
}

let schemas = 0;

/** A name for a schema that nobody uses. */
export function schemaName(): string {
  schemas += 1;
  return `test_${process.pid}_${Date.now().toString(36)}_${schemas}`;
}

export function createPool(connectionString: string, max = 8): Pool {
  const pool = new Pool({ connectionString, max });
  pool.on('error', () => {});
  return pool;
}

/** Takes its locks table by table: where others write meanwhile and it is the one that a deadlock ends, it begins anew. */
export async function dropSchema(url: string, schema: string): Promise<void> {
  const pool = createPool(url, 1);
  for (let dropped = false; !dropped; ) {
    try {
      await pool.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
      dropped = true;
    } catch (error) {
      if (!(error instanceof DatabaseError && error.code === '40P01')) throw error;
    }
  }
  await pool.end();
}

/** @param server the URL of a server; that of all tests if absent */
export async function temporarySchema(server?: string): Promise<TestSchema> {
  const url = server ?? (await postgresUrl());
  const schema = schemaName();
  const pool = createPool(url, 1);
  onTestFinished(async () => {
    await pool.end();
    if (server === undefined) await dropSchema(url, schema);
  });
  return {
    place: placeOf(url, schema),
    url,
    schema,
    query: async (sql, ...values) => {
      const { rows } = await pool.query(
        sql.replaceAll('{schema}', `"${schema}"`),
        values as unknown[],
      );
      return rows;
    },
  };
}

/** The URL of a schema, of another server's port if one is given. */
export function placeOf(url: string, schema: string, port?: number): string {
  const place = new URL(url);
  place.searchParams.set('schema', schema);
  if (port !== undefined) place.port = String(port);
  return place.href;
}
