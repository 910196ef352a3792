import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SessionConfigInput } from '@lexigram/ai-session';
import { PostgresServer, RedisServer } from '@lexigram/ai-session-servers';
import { PostgresSessionStore } from '@lexigram/ai-session-stores';
import { Pool } from 'pg';
import { createClient } from 'redis';

/** Bytes under a name. */
export type Sizes = Readonly<Record<string, number>>;

/** Two stores of one kind that have nothing in common but the machine. */
export interface ScaleEngine {
  readonly large: SessionConfigInput;
  readonly small: SessionConfigInput;
  /** Has the engine do now what a fill left for it to do some time, so that it is not measured. */
  settle(): Promise<void>;
  /** What the large one takes, all of it first, and what is in it. */
  sizes(): Promise<Sizes>;
  /** What the engine was told, and how much of the large store its own memory may hold. */
  readonly setting: string;
  stop(): Promise<void>;
}

export async function sqliteEngine(directory: string): Promise<ScaleEngine> {
  const [large, small] = ['large.db', 'small.db'].map((name) => join(directory, name)) as [
    string,
    string,
  ];
  const config = (path: string): SessionConfigInput => ({
    backend: 'database',
    database: { url: `sqlite:${path}`, synchronous: 'normal' },
  });
  return {
    large: config(large),
    small: config(small),
    setting: 'one process, the files in the memory of the operating system',
    // Its WAL is in the file since the last one closed it.
    settle: async () => {},
    sizes: async () => {
      const db = new DatabaseSync(large, { readOnly: true });
      const rows = db
        .prepare('SELECT name, sum(pgsize) AS bytes FROM dbstat GROUP BY name ORDER BY bytes DESC')
        .all();
      db.close();
      const parts = rows.map(({ bytes, name }) => [name, Number(bytes)] as const);
      return { 'the file': statSync(large).size, ...Object.fromEntries(parts) };
    },
    stop: async () => {},
  };
}

/** The statements of the documentation that part the turns. */
function partitioning(): string {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'scale.md'), 'utf8');
  const [, sql] = /```sql\n(ALTER TABLE ai_turns[\s\S]*?)```/.exec(page) ?? [];
  if (sql === undefined) throw new Error('docs/scale.md does not say how turns are parted');
  return sql;
}

/** @param isParted whether the turns of the large store lie in partitions */
export async function postgresEngine(isParted: boolean): Promise<ScaleEngine> {
  const start = () => PostgresServer.start({ settings: { shared_buffers: '256MB' } });
  const servers = [await start(), await start()] as const;
  const config = ({ url }: PostgresServer): SessionConfigInput => ({
    backend: 'database',
    database: { url },
  });
  const query = async (server: PostgresServer, text: string) => {
    const pool = new Pool({ connectionString: server.url, max: 1 });
    try {
      return (await pool.query(text)).rows;
    } finally {
      await pool.end();
    }
  };
  const [large, small] = servers;
  if (isParted) {
    await (await PostgresSessionStore.open(large.url)).close();
    await query(large, `BEGIN; ${partitioning()}; COMMIT`);
  }
  return {
    large: config(large),
    small: config(small),
    setting: 'a server each, fsync and synchronous_commit on, shared_buffers=256MB',
    settle: async () => {
      for (const server of servers) {
        await query(server, 'VACUUM (ANALYZE)');
        await query(server, 'CHECKPOINT');
      }
    },
    sizes: async () => {
      const rows = await query(
        large,
        // Partitions count together.
        `SELECT regexp_replace(relname, '^ai_turns_[0-9]+', 'ai_turns') AS name, sum(CASE relkind
           WHEN 'r' THEN pg_table_size(oid) ELSE pg_relation_size(oid) END) AS bytes
         FROM pg_class WHERE relname LIKE 'ai\\_%' AND relkind IN ('r', 'i') GROUP BY 1 ORDER BY 2 DESC`,
      );
      const parts = rows.map(({ bytes, name }) => [name, Number(bytes)] as const);
      const all = parts.reduce((sum, [, bytes]) => sum + bytes, 0);
      return { 'the schema': all, ...Object.fromEntries(parts) };
    },
    stop: async () => {
      for (const server of servers) await server.stop();
    },
  };
}

export async function redisEngine(): Promise<ScaleEngine> {
  const start = () =>
    RedisServer.start({ settings: { appendonly: 'yes', appendfsync: 'everysec' } });
  const servers = [await start(), await start()] as const;
  const config = ({ url }: RedisServer): SessionConfigInput => ({
    backend: 'cache',
    cache: { url },
  });
  const ask = async (
    server: RedisServer,
    section: string,
  ): Promise<ReadonlyMap<string, string>> => {
    const client = createClient({ url: server.url });
    await client.connect();
    const lines = (await client.info(section)).split('\r\n').map((line) => line.split(':'));
    await client.close();
    return new Map(lines.map(([name = '', value = '']) => [name, value]));
  };
  const [large, small] = servers;
  return {
    large: config(large),
    small: config(small),
    setting: 'a server each, appendfsync everysec',
    settle: async () => {
      for (const server of servers) {
        const busy = async (): Promise<boolean> => {
          const told = await ask(server, 'persistence');
          return told.get('aof_rewrite_in_progress') !== '0';
        };
        while (await busy()) await new Promise((resolve) => setTimeout(resolve, 200));
      }
    },
    sizes: async () => {
      const memory = await ask(large, 'memory');
      const disk = await ask(large, 'persistence');
      return {
        used_memory: Number(memory.get('used_memory')),
        used_memory_dataset: Number(memory.get('used_memory_dataset')),
        used_memory_rss: Number(memory.get('used_memory_rss')),
        aof_current_size: Number(disk.get('aof_current_size')),
      };
    },
    stop: async () => {
      for (const server of servers) await server.stop();
    },
  };
}
