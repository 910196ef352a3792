export { type DatabaseOptions, DatabaseSessionStore } from './database.ts';
export { type PostgresOptions, PostgresSessionStore } from './postgres/index.ts';
export { CacheSessionStore, type RedisDurability, type RedisOptions } from './redis/index.ts';
export { type SqliteOptions, SqliteSessionStore } from './sqlite/sqlite-store.ts';
