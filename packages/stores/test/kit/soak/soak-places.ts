import { statSync } from 'node:fs';
import { PostgresServer, RedisCluster, RedisServer } from '@lexigram/ai-session-servers';
import { Pool } from 'pg';
import { createClient } from 'redis';
import { expect, onTestFinished } from 'vitest';
import { temporaryFolder } from '../folder.ts';
import { pause } from '../pause.ts';
import { temporarySchema } from '../postgres-schema.ts';
import type { StoreOnTrial } from '../stores-on-trial.ts';
import type { SoakOptions } from './soak.ts';

type SoakPlace = Pick<SoakOptions, 'url' | 'strike' | 'isCluster' | 'measure'>;

/** Where a store is soaked for long: on a server of its own, which can be struck. */
const long: Readonly<Record<string, () => Promise<SoakPlace>>> = {
  async Postgres() {
    const settings = { autovacuum_naptime: '5s', autovacuum_vacuum_threshold: 50 };
    const server = await PostgresServer.start({ settings });
    onTestFinished(() => server.stop());
    const { place } = await temporarySchema(server.url);
    const measure = async () => {
      const pool = new Pool({ connectionString: server.url, max: 1 });
      pool.on('error', () => {});
      try {
        const { rows } = await pool.query<{ bytes: string; connections: string }>(
          'SELECT pg_database_size(current_database()) AS bytes, (SELECT count(*) FROM pg_stat_activity) AS connections',
        );
        const [{ bytes = 0, connections = 0 } = {}] = rows;
        return { bytes: Number(bytes), connections: Number(connections) };
      } finally {
        await pool.end();
      }
    };
    return { url: place, measure, strike: () => killed('Postgres', server) };
  },

  async Redis() {
    const server = await RedisServer.start({
      settings: { appendonly: 'yes', appendfsync: 'always' },
    });
    onTestFinished(() => server.stop());
    return {
      url: server.url,
      measure: () => measureRedis([server]),
      strike: () => killed('Redis', server),
    };
  },

  async 'a Redis Cluster'() {
    const settings = { appendonly: 'yes', appendfsync: 'everysec' };
    const cluster = await RedisCluster.start({ settings });
    onTestFinished(() => cluster.stop());
    let strikes = 0;
    const strike = async (): Promise<string> => {
      strikes += 1;
      const slot = (strikes * 5_461) % 16_384;
      const master = await cluster.masterOf(slot);
      const since = performance.now();
      const isKill = strikes % 2 === 1;
      if (isKill) await master.kill();
      else master.pause();
      const serving = () => cluster.masterOf(slot).catch(() => master);
      await expect.poll(async () => (await serving()) !== master, { timeout: 60_000 }).toBe(true);
      const tookMs = Math.round(performance.now() - since);
      if (isKill) await master.restart();
      else master.resume();
      await cluster.settled();
      return `a master ${isKill ? 'killed' : 'stopped'}, another one after ${tookMs} ms`;
    };
    const measure = () => measureRedis(cluster.nodes);
    return { url: cluster.urls.join(), isCluster: true, measure, strike };
  },
};

/** Where a store is soaked: for a moment on the servers that all tests share, which nobody strikes. */
export async function soakPlace(kind: StoreOnTrial, isLong: boolean): Promise<SoakPlace> {
  const make = isLong ? long[kind.name] : undefined;
  if (make !== undefined) return make();
  const url = await kind.url(temporaryFolder());
  if (!url.startsWith('sqlite:')) return { url, isCluster: kind.name === 'a Redis Cluster' };
  const path = url.slice('sqlite:'.length);
  const measure = async () => {
    const sizes = [path, `${path}-wal`].map((file) => statSync(file, { throwIfNoEntry: false }));
    return { bytes: sizes.reduce((sum, it) => sum + (it?.size ?? 0), 0) };
  };
  return { url, measure };
}

async function killed(
  name: string,
  server: { kill(): Promise<void>; restart(): Promise<void> },
): Promise<string> {
  const since = performance.now();
  await server.kill();
  await pause(100);
  await server.restart();
  return `${name} killed, up again after ${Math.round(performance.now() - since)} ms`;
}

/** Keys, memory and connections of all servers together, and the commands that they ran. */
async function measureRedis(
  servers: readonly RedisServer[],
): Promise<Readonly<Record<string, number>>> {
  let [keys, bytes, connections, commands] = [0, 0, 0, 0];
  for (const { isPaused, pid, url } of servers) {
    if (pid === 0 || isPaused) throw new Error('one of them is down');
    const client = createClient({
      url,
      socket: { connectTimeout: 1_000, reconnectStrategy: false },
    });
    client.on('error', () => {});
    try {
      await client.connect();
      const info = await client.info();
      keys += await client.dbSize();
      bytes += Number(/used_memory:(\d+)/.exec(info)?.[1]);
      connections += Number(/connected_clients:(\d+)/.exec(info)?.[1]);
      commands += Number(/total_commands_processed:(\d+)/.exec(info)?.[1]);
    } finally {
      if (client.isOpen) client.destroy();
    }
  }
  return { keys, bytes, connections, commands };
}
