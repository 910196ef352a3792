export type {
  PostgresClient,
  PostgresClientFactory,
  PostgresConnection,
  PostgresPool,
  PostgresQuery,
} from './client.ts';
export type { PostgresOptions } from './options.ts';
export { PostgresSessionStore } from './postgres-store.ts';
