import { randomBytes } from 'node:crypto';
import type { OpenStore } from '@lexigram/ai-session-contract';
import { redisUrl } from '@lexigram/ai-session-servers';
import { CacheSessionStore } from '../../src/redis/index.ts';

/** The URL of the Redis that all tests share, under a prefix that nobody else uses. */
export async function ownRedisUrl(): Promise<string> {
  return `${await redisUrl()}?prefix=${newPrefix()}`;
}

function newPrefix(): string {
  return `t${randomBytes(8).toString('hex')}:`;
}

/** A store under a prefix of its own in the Redis that all tests share. */
export const openRedis: OpenStore = async ({ clock }) => {
  const url = await redisUrl();
  const prefix = newPrefix();
  const opened: CacheSessionStore[] = [];
  const reopen = async (): Promise<CacheSessionStore> => {
    const store = await CacheSessionStore.open(url, { prefix, clock });
    opened.push(store);
    return store;
  };
  const dispose = async (): Promise<void> => {
    for (const store of opened) await store.close();
  };
  return { store: await reopen(), reopen, dispose };
};
