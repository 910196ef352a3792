import { type SessionStore, SessionStoreUnavailableError } from '@lexigram/ai-session';
import {
  CacheSessionStore,
  type DatabaseOptions,
  DatabaseSessionStore,
  SqliteSessionStore,
} from '@lexigram/ai-session-stores';
import { pause } from './pause.ts';

export interface OpenUrlOptions extends DatabaseOptions {
  /** Of stores behind a network. */
  readonly callTimeoutMs?: number | undefined;
  readonly connectTimeoutMs?: number | undefined;
}

/** The store of a URL, or of several of one cluster with commas between; of a file with patience for many processes. */
export function openUrl(url: string, options: OpenUrlOptions = {}): Promise<SessionStore> {
  const { synchronous, ...others } = options;
  if (url.includes(',')) return CacheSessionStore.open(url.split(','), others);
  if (url.startsWith('redis:')) return CacheSessionStore.open(url, others);
  return url.startsWith('sqlite:')
    ? SqliteSessionStore.open(url.slice('sqlite:'.length), { ...options, lockTimeoutMs: 30_000 })
    : DatabaseSessionStore.open(url, options);
}

/** The same of a server that may be down, but will be up again within a minute. */
export async function openPatiently(url: string, options: OpenUrlOptions): Promise<SessionStore> {
  const until = performance.now() + 60_000;
  for (;;) {
    try {
      return await openUrl(url, options);
    } catch (error) {
      const isDown = error instanceof SessionStoreUnavailableError;
      if (!isDown || performance.now() > until) throw error;
    }
    await pause(200);
  }
}
