import { SessionUnsupportedError } from '@lexigram/ai-session';
import type { PostgresPool } from './client.ts';
import type { PostgresSettings } from './options.ts';

/** What we use of the package `pg`. */
interface PgModule {
  readonly Pool: new (
    config: Readonly<Record<string, unknown>>,
  ) => PostgresPool & { on(event: 'error', listener: () => void): unknown };
}

/**
 * A pool of `pg` for a URL.
 *
 * @throws SessionUnsupportedError if the package is not installed
 */
export async function createPool(
  url: string,
  settings: PostgresSettings,
  synchronous: 'on' | 'off' | null,
): Promise<PostgresPool> {
  const { Pool } = await importPg();
  const server = [
    `statement_timeout=${settings.statementTimeoutMs}`,
    `lock_timeout=${settings.lockTimeoutMs}`,
    `idle_in_transaction_session_timeout=${settings.idleInTransactionTimeoutMs}`,
    ...(synchronous === null ? [] : [`synchronous_commit=${synchronous}`]),
  ];
  const pool = new Pool({
    connectionString: url,
    max: settings.maxConnections,
    connectionTimeoutMillis: settings.connectTimeoutMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    application_name: 'lexigram-ai-session',
    // Poolers refuse settings that would stick to a connection of the server.
    ...(settings.behindPooler ? {} : { options: server.map((it) => `-c ${it}`).join(' ') }),
  });
  // A connection that breaks while nobody uses it leaves the pool, and that is all there is to it.
  pool.on('error', () => {});
  return pool;
}

async function importPg(): Promise<PgModule> {
  try {
    const loaded = (await import('pg')) as unknown as { readonly default?: PgModule } & PgModule;
    return loaded.default ?? loaded;
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new SessionUnsupportedError(
      'The Postgres store needs the package pg; install it with: npm install pg',
      { cause },
    );
  }
}
