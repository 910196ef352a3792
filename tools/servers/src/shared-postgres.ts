import { PostgresServer } from './postgres-server.ts';
import { sharedServer } from './shared-server.ts';

let url: Promise<string> | undefined;

/**
 * The URL of a Postgres for tests: that of LEX_TEST_POSTGRES_URL, or a server that the first who asks starts and
 * all workers of the run share. It promises nothing past a crash: what is to survive one starts its own.
 *
 * @throws if there is no Postgres to be had
 */
export function postgresUrl(): Promise<string> {
  url ??= process.env['LEX_TEST_POSTGRES_URL']
    ? Promise.resolve(process.env['LEX_TEST_POSTGRES_URL'])
    : sharedServer('postgres', () =>
        PostgresServer.start({
          settings: { fsync: 'off', full_page_writes: 'off', shared_buffers: '64MB' },
        }),
      );
  return url;
}
