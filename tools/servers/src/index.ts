export { freePort } from './free-port.ts';
export { PostgresServer, type PostgresServerOptions } from './postgres-server.ts';
export { postgresUrl } from './shared-postgres.ts';
