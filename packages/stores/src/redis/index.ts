export { CacheSessionStore } from './cache-store.ts';
export type { RedisClient } from './client.ts';
export type { RedisDurability } from './durability.ts';
export type { RedisOptions } from './options.ts';
