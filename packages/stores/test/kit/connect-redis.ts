import { createClient, createCluster, type RedisClientType, type RedisClusterType } from 'redis';
import { placeOfUrl } from './place-of-url.ts';

/** A client of the server of a URL, or of the cluster that it is part of; whoever asks for it ends it. */
export async function connectRedis(url: string): Promise<RedisClientType | RedisClusterType> {
  const { server } = placeOfUrl(url);
  const one: RedisClientType = createClient({ url: server });
  one.on('error', () => {});
  await one.connect();
  if (!(await one.info('cluster')).includes('cluster_enabled:1')) return one;
  one.destroy();
  const cluster: RedisClusterType = createCluster({ rootNodes: [{ url: server }] });
  cluster.on('error', () => {});
  await cluster.connect();
  return cluster;
}

/** The keys of a URL's prefix that fit a pattern, of all masters. */
export async function keysOf(
  client: RedisClientType | RedisClusterType,
  url: string,
  pattern: string,
): Promise<readonly string[]> {
  const { prefix } = placeOfUrl(url);
  const masters =
    'masters' in client
      ? await Promise.all(client.masters.map((master) => client.nodeClient(master)))
      : [client];
  const found = new Set<string>();
  for (const master of masters) {
    const scan = master.scanIterator({ MATCH: `${prefix}${pattern}`, COUNT: 1_000 });
    for await (const keys of scan) for (const key of keys) found.add(key);
  }
  return [...found];
}
