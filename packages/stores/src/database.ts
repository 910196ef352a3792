import { SessionConfigError, type SessionStore } from '@lexigram/ai-session';
import { maskAddress } from '@lexigram/ai-session/store';
import type { PostgresOptions } from './postgres/options.ts';
import { PostgresSessionStore } from './postgres/postgres-store.ts';
import { isPostgresUrl } from './postgres/url.ts';
import { type SqliteOptions, SqliteSessionStore } from './sqlite/sqlite-store.ts';

/** The store for a database's URL. */
export const DatabaseSessionStore: {
  /**
   * `sqlite:sessions.db`, `sqlite:/var/lib/app/sessions.db`, `sqlite::memory:`; or
   * `postgres://user:password@host/database`, with `?schema=name` for another schema than `public`, and
   * `?pooler=transaction` if a pooler in transaction mode stands between.
   *
   * @throws SessionConfigError for a URL of another kind; what the store's own `open` throws
   */
  open(url: string, options?: DatabaseOptions): Promise<SessionStore>;
} = Object.freeze({
  async open(url: string, options: DatabaseOptions = {}): Promise<SessionStore> {
    const given = typeof url === 'string' ? url : '';
    if (isPostgresUrl(given)) return PostgresSessionStore.open(given, options);
    return SqliteSessionStore.open(sqlitePath(given), options);
  },
});

/** What the stores of all databases take. */
export type DatabaseOptions = Pick<SqliteOptions & PostgresOptions, 'synchronous' | 'clock'>;

function sqlitePath(url: string): string {
  const path = url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : '';
  if (path === '' || path.includes('\0') || (path.startsWith('//') && !path.startsWith('///'))) {
    throw unusable(url);
  }
  return path.startsWith('///') ? path.slice(2) : path;
}

function unusable(url: string): SessionConfigError {
  const message = `expected 'sqlite:' and a path, like 'sqlite:sessions.db', or 'postgres://host/database', got ${maskAddress(url)}`;
  return new SessionConfigError([{ path: 'database.url', message }]);
}
