import { RedisServer } from '@lexigram/ai-session-servers';
import { createClient, type RedisClientType } from 'redis';
import { onTestFinished } from 'vitest';
import { CacheSessionStore } from '../../src/redis/index.ts';

/** A client beside the stores: to look, and to do what others do to a server. */
export async function clientOf(url: string): Promise<RedisClientType> {
  const client: RedisClientType = createClient({ url: new URL('/', url).href });
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.destroy());
  return client;
}

/** A store that is closed after the test. */
export async function storeAt(
  ...args: Parameters<typeof CacheSessionStore.open>
): Promise<CacheSessionStore> {
  const store = await CacheSessionStore.open(...args);
  onTestFinished(() => store.close());
  return store;
}

/** The keys of a store's prefix that fit a pattern, on a server or on all nodes of a cluster. */
export async function keysUnder(
  source: string | readonly string[],
  pattern: string,
): Promise<string[]> {
  const found = new Set<string>();
  for (const url of [source].flat()) {
    const client = await clientOf(url);
    const prefix = new URL(url).searchParams.get('prefix') ?? 'lex:';
    for await (const keys of client.scanIterator({ MATCH: `${prefix}${pattern}`, COUNT: 1_000 })) {
      for (const key of keys) found.add(key);
    }
  }
  return [...found];
}

/** A server of the test's own. */
export async function startServer(
  settings: Readonly<Record<string, string | number>> = {},
): Promise<RedisServer> {
  const server = await RedisServer.start({ settings });
  onTestFinished(() => server.stop());
  return server;
}
