import { SessionInputError, SessionUnsupportedError } from '@lexigram/ai-session';
import {
  isCluster,
  notThere,
  type RedisClient,
  type RedisClusterClient,
  type RunRedis,
  runnerOf,
} from './client.ts';
import type { RedisOptions, RedisSettings } from './options.ts';

/** Addresses of one server, or of some nodes of a cluster, with what their parameters say. */
export interface Addresses {
  readonly urls: readonly URL[];
  readonly isCluster: boolean;
  readonly options: RedisOptions;
}

/** @throws SessionInputError */
export function parseAddresses(source: string | readonly string[]): Addresses {
  if (typeof source === 'string') {
    const { options, url } = parseAddress(source);
    return { urls: [url], isCluster: false, options };
  }
  if (source.length === 0) throw unusable();
  // A node may be named by its address alone.
  const nodes = source.map((node) => parseAddress(/^[^/]*$/.test(node) ? `redis://${node}` : node));
  const [first] = nodes;
  for (const { options, url } of nodes) {
    if (url.pathname !== '' && url.pathname !== '/' && url.pathname !== '/0') {
      throw new SessionInputError('source', 'names a database, and a cluster has but one');
    }
    if (options.prefix !== first?.options.prefix) {
      throw new SessionInputError('source', 'names nodes with different prefixes');
    }
  }
  return { urls: nodes.map(({ url }) => url), isCluster: true, options: first?.options ?? {} };
}

function parseAddress(source: string): { readonly url: URL; readonly options: RedisOptions } {
  const url = typeof source === 'string' && URL.canParse(source) ? new URL(source) : null;
  if (url === null || (url.protocol !== 'redis:' && url.protocol !== 'rediss:')) throw unusable();
  if (!/^\/?\d{0,9}$/.test(url.pathname)) throw unusable();
  const prefix = url.searchParams.get('prefix');
  url.searchParams.delete('prefix');
  const [unknown] = url.searchParams.keys();
  if (unknown !== undefined) {
    throw new SessionInputError('source', `has the unknown parameter '${unknown.slice(0, 40)}'`);
  }
  return { url, options: prefix === null ? {} : { prefix } };
}

/** Clients of the caller's. Pools, and clients of sentinels, take commands in another way. */
export function checkClient(source: RedisClient | RedisClusterClient): void {
  const isOne =
    typeof source === 'object' &&
    source !== null &&
    typeof source.sendCommand === 'function' &&
    typeof source.isReady === 'boolean' &&
    !('getMasterNode' in source);
  if (!isOne) throw unusable();
}

function unusable(): SessionInputError {
  const expected = "expected a URL like 'redis://host:6379', a list of them, or a client";
  return new SessionInputError('source', expected);
}

interface RedisModule {
  createClient(options: Readonly<Record<string, unknown>>): RedisClient;
  createCluster(options: Readonly<Record<string, unknown>>): RedisClusterClient;
}

/**
 * A client of `redis`, connected: of a cluster if several addresses are given, or if the server is part of one.
 *
 * @throws SessionUnsupportedError if the package is not installed; SessionStoreUnavailableError
 */
export async function connect(
  { isCluster, urls }: Addresses,
  settings: RedisSettings,
): Promise<RedisClient | RedisClusterClient> {
  const redis = await importRedis();
  if (isCluster) return connected(clusterOf(redis, urls, settings), settings);
  const client = await connected(clientOf(redis, urls[0] as URL, settings), settings);
  if (!(await isNode(runnerOf(client), settings))) return client;
  client.destroy();
  return connected(clusterOf(redis, urls, settings), settings);
}

/** Whether a server is a node of a cluster. */
async function isNode(run: RunRedis, { callTimeoutMs }: RedisSettings): Promise<boolean> {
  try {
    const info = await run(['INFO', 'cluster'], performance.now() + callTimeoutMs);
    return String(info).includes('cluster_enabled:1');
  } catch (error) {
    // One that does not tell is taken as it was named.
    if (error instanceof Error && /^(ERR|NOPERM)/.test(error.message)) return false;
    throw error;
  }
}

function reconnectStrategy(tries: number): number {
  return Math.min(500, 20 * 2 ** Math.min(tries, 5));
}

function clientOf(
  redis: RedisModule,
  url: URL,
  { callTimeoutMs, connectTimeoutMs }: RedisSettings,
): RedisClient {
  return redis.createClient({
    url: url.href,
    disableOfflineQueue: true,
    pingInterval: callTimeoutMs,
    socket: {
      connectTimeout: connectTimeoutMs,
      // A connection that fell silent is made anew: a ping would have been answered since.
      socketTimeout: callTimeoutMs * 2,
      reconnectStrategy,
    },
  });
}

function clusterOf(
  redis: RedisModule,
  urls: readonly URL[],
  { callTimeoutMs, connectTimeoutMs }: RedisSettings,
): RedisClusterClient {
  const [{ password, protocol, username } = new URL('redis://')] = urls;
  const pingMs = Math.min(1_000, callTimeoutMs);
  return redis.createCluster({
    rootNodes: urls.map(({ href }) => ({ url: href })),
    // A node that is away must not hold up the others.
    minimizeConnections: true,
    // A node that is away may have a successor already.
    topologyRefreshOnReconnectionAttemptStrategy: 100,
    defaults: {
      ...(username === '' ? {} : { username: decodeURIComponent(username) }),
      ...(password === '' ? {} : { password: decodeURIComponent(password) }),
      disableOfflineQueue: true,
      pingInterval: pingMs,
      socket: {
        connectTimeout: connectTimeoutMs,
        // A node that fell silent is given up sooner than a call: others may have taken its place.
        socketTimeout: pingMs * 2,
        reconnectStrategy,
        ...(protocol === 'rediss:' ? { tls: true } : {}),
      },
    },
  });
}

async function connected<C extends RedisClient | RedisClusterClient>(
  client: C,
  { connectTimeoutMs }: RedisSettings,
): Promise<C> {
  // A connection that is lost is made again; calls meanwhile say that there is none.
  client.on('error', () => {});
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(notThere('Redis cannot be reached')), connectTimeoutMs);
  });
  try {
    await Promise.race([client.connect(), late]);
    return client;
  } catch (error) {
    client.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function importRedis(): Promise<RedisModule> {
  try {
    return (await import('redis')) as unknown as RedisModule;
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new SessionUnsupportedError(
      'The Redis store needs the package redis; install it with: npm install redis',
      { cause },
    );
  }
}

/** Each server that takes writes: the one, or the masters of a cluster. */
export async function runnersOfMasters(
  client: RedisClient | RedisClusterClient,
): Promise<readonly RunRedis[]> {
  if (!isCluster(client)) return [runnerOf(client)];
  return Promise.all(
    client.masters.map(async (node) =>
      runnerOf((await client.nodeClient(node as never)) as RedisClient),
    ),
  );
}
