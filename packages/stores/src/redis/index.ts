export { CacheSessionStore } from './cache-store.ts';
export type { RedisClient, RedisClusterClient } from './client.ts';
export type { RedisDurability } from './durability.ts';
export type { RedisOptions } from './options.ts';
