import { onTestFinished } from 'vitest';
import { ClusterProxy } from './cluster-proxy.ts';
import { connectRedis } from './connect-redis.ts';
import { postgres, redis, redisCluster, type StoreOnTrial } from './stores-on-trial.ts';
import { TcpProxy } from './tcp-proxy.ts';

/** A store behind a network that a test can disturb. */
export interface NetworkStore extends StoreOnTrial {
  /** Of so many pieces that the server answers one may be cut off, and a new connection still is greeted whole. */
  readonly greeting: number;
}

export const networkStores: readonly NetworkStore[] = [
  { ...postgres, greeting: 3 },
  { ...redis, greeting: 5 },
];

export const clusterOverNetwork: NetworkStore = { ...redisCluster, greeting: 5 };

export type NetworkProxy = TcpProxy | ClusterProxy;

/** The URL of the same store through a proxy that goes with the test; of a cluster, through one for each master. */
export async function throughProxy(
  url: string,
): Promise<{ readonly url: string; readonly proxy: NetworkProxy }> {
  const place = new URL(url);
  const isRedis = place.protocol === 'redis:';
  const masters = isRedis ? await mastersOf(url) : [];
  const port = Number(place.port) || (isRedis ? 6379 : 5432);
  const proxy =
    masters.length > 0
      ? await ClusterProxy.start(masters, place.hostname)
      : await TcpProxy.start(port, place.hostname);
  onTestFinished(() => proxy.stop());
  place.hostname = '127.0.0.1';
  place.port = String(proxy.port);
  return { url: place.href, proxy };
}

/** The ports of the masters of a cluster; none of a server alone. */
async function mastersOf(url: string): Promise<readonly number[]> {
  const client = await connectRedis(url);
  const ports = 'masters' in client ? client.masters.map(({ port }) => port) : [];
  client.destroy();
  return ports;
}
