import { Pool } from 'pg';
import { connectRedis, keysOf } from './connect-redis.ts';
import { query } from './database-rows.ts';
import { placeOfUrl } from './place-of-url.ts';

/** What the rows of turns say was said, in all sessions, read past the store. */
export async function contentsAt(url: string): Promise<readonly string[]> {
  const bodies = await bodiesAt(url);
  return bodies.map((body) => (JSON.parse(body) as { readonly content: string }).content);
}

async function bodiesAt(url: string): Promise<readonly string[]> {
  if (url.startsWith('redis')) {
    return withRedis(url, async (client) => {
      const bodies: string[] = [];
      for (const key of await keysOf(client, url, '{[^.]*}:t:*')) {
        const rows = await client.lRange(key, 0, -1);
        bodies.push(...rows.map((row) => row.slice(row.indexOf('\n'))));
      }
      return bodies;
    });
  }
  const rows = await rowsAt<{ body: string }>(url, (table) => `SELECT body FROM ${table('turns')}`);
  return rows.map(({ body }) => body);
}

/** What is still there of deleted sessions, but their tombstones. */
export async function leftAt(url: string): Promise<readonly string[]> {
  if (url.startsWith('redis')) {
    return withRedis(url, async (client) => {
      const left: string[] = [];
      for (const key of await keysOf(client, url, '{[^.]*}:*')) {
        const [, base = '', name = ''] = /^(.*\{.*\}:)(.*)$/.exec(key) ?? [];
        // The state is the tombstone; that it came to be is in the feed.
        const isTombstone = /^(s|f|fo|x.*)$/.test(name);
        const state = await client.get(`${base}s`);
        if (!isTombstone && (state === null || state.includes('"status":"deleted"')))
          left.push(key);
      }
      return left;
    });
  }
  const left: string[] = [];
  for (const name of ['turns', 'timelines', 'records', 'variables']) {
    const rows = await rowsAt<{ id: string }>(
      url,
      (table) => `SELECT s.session_id AS id FROM ${table(name)} t
        JOIN ${table('sessions')} s ON s.key = t.session WHERE s.status = 'deleted'`,
    );
    left.push(...rows.map(({ id }) => `${name} of ${id}`));
  }
  return left;
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
  work: (client: Awaited<ReturnType<typeof connectRedis>>) => Promise<T>,
): Promise<T> {
  const client = await connectRedis(url);
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}
