import { SessionConfigError, type SessionStore } from '@lexigram/ai-session';
import { type SqliteOptions, SqliteSessionStore } from './sqlite/sqlite-store.ts';

/** The store for a database's URL. */
export const DatabaseSessionStore: {
  /**
   * `sqlite:sessions.db`, `sqlite:/var/lib/app/sessions.db`, `sqlite::memory:`.
   *
   * @throws SessionConfigError for a URL of another kind; what the store's own `open` throws
   */
  open(url: string, options?: SqliteOptions): Promise<SessionStore>;
} = Object.freeze({
  async open(url: string, options?: SqliteOptions): Promise<SessionStore> {
    return SqliteSessionStore.open(sqlitePath(url), options);
  },
});

function sqlitePath(url: unknown): string {
  const given = typeof url === 'string' ? url : '';
  const path = given.startsWith('sqlite:') ? given.slice('sqlite:'.length) : '';
  if (path === '' || path.includes('\0') || (path.startsWith('//') && !path.startsWith('///'))) {
    throw new SessionConfigError([
      {
        path: 'database.url',
        message: `expected 'sqlite:' and a path, like 'sqlite:sessions.db', got '${masked(given)}'`,
      },
    ]);
  }
  return path.startsWith('///') ? path.slice(2) : path;
}

/** A URL as an error may show it: without a password. */
function masked(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//***@').slice(0, 200);
}
