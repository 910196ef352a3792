import { SessionUnsupportedError } from '@lexigram/ai-session';
import type { PostgresClientFactory, PostgresPool } from './client.ts';
import { ClientPool, idleMs, type ServerSetting } from './client-pool.ts';
import type { PostgresSettings } from './options.ts';

/** What we use of the package `pg`. */
interface PgModule {
  readonly Pool: new (
    config: Readonly<Record<string, unknown>>,
  ) => PostgresPool & { on(event: 'error', listener: () => void): unknown };
}

/**
 * A pool of the store's own: of `pg` for a URL, else of what a factory makes.
 *
 * @throws SessionUnsupportedError if the package is needed and not installed
 */
export async function createPool(
  source: string | PostgresClientFactory,
  settings: PostgresSettings,
  synchronous: 'on' | 'off' | null,
): Promise<PostgresPool> {
  const server: readonly ServerSetting[] = [
    ['statement_timeout', `${settings.statementTimeoutMs}`],
    ['lock_timeout', `${settings.lockTimeoutMs}`],
    ['idle_in_transaction_session_timeout', `${settings.idleInTransactionTimeoutMs}`],
    // Each statement is planned once: what is found by an index is found so whatever the values are, and a small
    // statement takes the server longer to plan than to run.
    ['plan_cache_mode', 'force_generic_plan'],
    ...(synchronous === null ? [] : [['synchronous_commit', synchronous] as const]),
  ];
  // Poolers refuse settings that would stick to a connection of the server.
  const own = settings.behindPooler ? [] : server;
  if (typeof source === 'function') return new ClientPool(source, settings, own);
  const { Pool } = await importPg();
  const pool = new Pool({
    connectionString: source,
    max: settings.maxConnections,
    connectionTimeoutMillis: settings.connectTimeoutMs,
    idleTimeoutMillis: idleMs,
    keepAlive: true,
    application_name: 'lexigram-ai-session',
    ...(own.length === 0
      ? {}
      : { options: own.map(([name, value]) => `-c ${name}=${value}`).join(' ') }),
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
