import { onTestFinished } from 'vitest';
import { postgres, redis, type StoreOnTrial } from './stores-on-trial.ts';
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

/** The URL of the same store through a proxy that goes with the test. */
export async function throughProxy(
  url: string,
): Promise<{ readonly url: string; readonly proxy: TcpProxy }> {
  const place = new URL(url);
  const port = Number(place.port) || (place.protocol === 'redis:' ? 6379 : 5432);
  const proxy = await TcpProxy.start(port, place.hostname);
  onTestFinished(() => proxy.stop());
  place.hostname = '127.0.0.1';
  place.port = String(proxy.port);
  return { url: place.href, proxy };
}
