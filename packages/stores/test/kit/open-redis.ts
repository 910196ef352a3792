import { randomBytes } from 'node:crypto';
import { type OpenStore, openLasting } from '@lexigram/ai-session-contract';
import { redisClusterUrls, redisUrl } from '@lexigram/ai-session-servers';
import { CacheSessionStore } from '../../src/redis/index.ts';

/** The URL of the Redis that all tests share, under a prefix that nobody else uses. */
export async function ownRedisUrl(): Promise<string> {
  return `${await redisUrl()}?prefix=${newPrefix()}`;
}

function newPrefix(): string {
  return `t${randomBytes(8).toString('hex')}:`;
}

/** The addresses of the cluster that all tests share, under a prefix that nobody else uses. */
export async function ownClusterUrls(): Promise<string[]> {
  const prefix = newPrefix();
  return (await redisClusterUrls()).map((url) => `${url}?prefix=${prefix}`);
}

/** The same by the URL of one node, which is enough to find the others. */
export async function ownClusterUrl(): Promise<string> {
  return (await ownClusterUrls())[0] as string;
}

/** A store under a prefix of its own in the Redis that all tests share. */
export const openRedis: OpenStore = ({ clock }) => openOwn(ownRedisUrl(), clock);

/** The same in the cluster. */
export const openRedisCluster: OpenStore = ({ clock }) => openOwn(ownClusterUrls(), clock);

function openOwn(source: Promise<string | string[]>, clock: () => number): ReturnType<OpenStore> {
  return openLasting(async () => CacheSessionStore.open(await source, { clock }));
}
