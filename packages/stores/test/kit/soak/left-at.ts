import { Pool } from 'pg';
import { createClient } from 'redis';
import { query } from '../database-rows.ts';
import { placeOfUrl } from '../place-of-url.ts';

/** Sums outlive sessions, and what a store knows of itself. */
const lastingTables = /^ai_(schema|usage|tool_usage|usage_until|spent|owners|positions|position)$/;
const lastingKeys = /\{\.[^}]*\}:(log|dropped|usage:.*|(version|spent)(=.*)?|due:)$/;

/** Rows, or keys, that are there though no session is. */
export async function leftAt(url: string): Promise<readonly string[]> {
  if (url.startsWith('redis')) {
    return (await keysAt(url)).filter((key) => !lastingKeys.test(key));
  }
  const tables = url.startsWith('sqlite:')
    ? tablesOfFile(url.slice('sqlite:'.length))
    : await tablesOfSchema(url);
  return tables
    .filter(([name, rows]) => rows > 0 && !lastingTables.test(name))
    .map(([name, rows]) => `${rows} rows of ${name}`);
}

/** All keys of a prefix, on a server or on all nodes of a cluster. */
async function keysAt(url: string): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const node of url.split(',')) {
    const { prefix, server } = placeOfUrl(node);
    const client = createClient({ url: server });
    client.on('error', () => {});
    await client.connect();
    try {
      const scan = client.scanIterator({ MATCH: `${prefix}*`, COUNT: 1_000 });
      for await (const keys of scan) for (const key of keys) found.add(key);
    } finally {
      client.destroy();
    }
  }
  return [...found];
}

type Table = readonly [name: string, rows: number];

function tablesOfFile(path: string): readonly Table[] {
  const sql =
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'ai\\_%' ESCAPE '\\'";
  return query<{ name: string }>(path, sql).map(({ name }) => {
    return [name, query<{ n: number }>(path, `SELECT count(*) AS n FROM ${name}`)[0]?.n ?? 0];
  });
}

async function tablesOfSchema(url: string): Promise<readonly Table[]> {
  const { schema, server } = placeOfUrl(url);
  const pool = new Pool({ connectionString: server, max: 1 });
  try {
    const sql = 'SELECT tablename AS name FROM pg_tables WHERE schemaname = $1';
    const { rows } = await pool.query<{ name: string }>(sql, [schema]);
    const tables: Table[] = [];
    for (const { name } of rows) {
      const counted = await pool.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM "${schema}"."${name}"`,
      );
      tables.push([name, counted.rows[0]?.n ?? 0]);
    }
    return tables;
  } finally {
    await pool.end();
  }
}
