import { RedisCluster } from './redis-cluster.ts';
import { sharedServer } from './shared-server.ts';

let urls: Promise<readonly string[]> | undefined;

/**
 * The URLs of the nodes of a Redis Cluster for tests: those of LEX_TEST_REDIS_CLUSTER_URLS, separated by commas, or a
 * cluster that the first who asks starts and all workers of the run share. Who kills or pauses nodes starts their own.
 *
 * @throws if there is no Redis to be had
 */
export function redisClusterUrls(): Promise<readonly string[]> {
  urls ??= find();
  return urls;
}

async function find(): Promise<readonly string[]> {
  const named = process.env['LEX_TEST_REDIS_CLUSTER_URLS'];
  const all = named ? named : await sharedServer('redis-cluster', startShared);
  return all.split(',').map((url) => url.trim());
}

async function startShared() {
  const settings = { appendonly: 'yes', appendfsync: 'everysec' };
  const { handle, urls } = await RedisCluster.start({ settings });
  return { handle, url: urls.join() };
}
