import { Pool } from 'pg';
import { createClient, type RedisClientType } from 'redis';
import { query } from './database-rows.ts';
import { placeOfUrl } from './place-of-url.ts';

/** What the rows of turns say was said, in all sessions, read past the store. */
export async function contentsAt(url: string): Promise<readonly string[]> {
  const bodies = await bodiesAt(url);
  return bodies.map((body) => (JSON.parse(body) as { readonly content: string }).content);
}

async function bodiesAt(url: string): Promise<readonly string[]> {
  if (url.startsWith('redis')) {
    return withRedis(url, async (client, keys) => {
      const bodies: string[] = [];
      for (const key of await keys('{*}:t:*')) {
        const rows = await client.lRange(key, 0, -1);
        bodies.push(...rows.map((row) => row.slice(row.indexOf('\n'))));
      }
      return bodies;
    });
  }
  const rows = await rowsAt<{ body: string }>(url, (table) => `SELECT body FROM ${table('turns')}`);
  return rows.map(({ body }) => body);
}

async function rowsAt<Row>(
  url: string,
  sql: (table: (name: string) => string) => string,
): Promise<readonly Row[]> {
  if (url.startsWith('sqlite:')) {
    return query<Row>(
      url.slice('sqlite:'.length),
      sql((name) => `ai_${name}`),
    );
  }
  const { schema, server } = placeOfUrl(url);
  const pool = new Pool({ connectionString: server, max: 1 });
  try {
    const { rows } = await pool.query(sql((name) => `"${schema}".ai_${name}`));
    return rows as Row[];
  } finally {
    await pool.end();
  }
}

async function withRedis<T>(
  url: string,
  work: (
    client: RedisClientType,
    keys: (pattern: string) => Promise<readonly string[]>,
  ) => Promise<T>,
): Promise<T> {
  const { prefix, server } = placeOfUrl(url);
  const client: RedisClientType = createClient({ url: server });
  await client.connect();
  try {
    return await work(client, async (pattern) => {
      const found = new Set<string>();
      const scan = client.scanIterator({ MATCH: `${prefix}${pattern}`, COUNT: 1_000 });
      for await (const keys of scan) for (const key of keys) found.add(key);
      return [...found];
    });
  } finally {
    client.destroy();
  }
}
