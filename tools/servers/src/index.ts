export { freePort } from './free-port.ts';
export { PgBouncer, type PgBouncerOptions } from './pgbouncer.ts';
export { PostgresServer, type PostgresServerOptions } from './postgres-server.ts';
export { RedisCluster, type RedisClusterOptions } from './redis-cluster.ts';
export { RedisServer, type RedisServerOptions } from './redis-server.ts';
export { postgresUrl } from './shared-postgres.ts';
export { redisUrl } from './shared-redis.ts';
export { redisClusterUrls } from './shared-redis-cluster.ts';
