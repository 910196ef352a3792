import type { SessionStore } from '@lexigram/ai-session';
import {
  CacheSessionStore,
  type DatabaseOptions,
  DatabaseSessionStore,
  SqliteSessionStore,
} from '@lexigram/ai-session-stores';

export interface OpenUrlOptions extends DatabaseOptions {
  /** Of stores behind a network. */
  readonly callTimeoutMs?: number | undefined;
  readonly connectTimeoutMs?: number | undefined;
}

/** The store of a URL; of a file with patience for many processes. */
export function openUrl(url: string, options: OpenUrlOptions = {}): Promise<SessionStore> {
  const { synchronous, ...others } = options;
  if (url.startsWith('redis:')) return CacheSessionStore.open(url, others);
  return url.startsWith('sqlite:')
    ? SqliteSessionStore.open(url.slice('sqlite:'.length), { ...options, lockTimeoutMs: 30_000 })
    : DatabaseSessionStore.open(url, options);
}
