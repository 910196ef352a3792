import type { SessionStore } from '@lexigram/ai-session';
import {
  CacheSessionStore,
  type DatabaseOptions,
  DatabaseSessionStore,
  SqliteSessionStore,
} from '@lexigram/ai-session-stores';

/** The store of a URL; of a file with patience for many processes. */
export function openUrl(url: string, options: DatabaseOptions = {}): Promise<SessionStore> {
  if (url.startsWith('redis:')) return CacheSessionStore.open(url, { clock: options.clock });
  return url.startsWith('sqlite:')
    ? SqliteSessionStore.open(url.slice('sqlite:'.length), { ...options, lockTimeoutMs: 30_000 })
    : DatabaseSessionStore.open(url, options);
}
