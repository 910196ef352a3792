import type { SessionStore } from '@lexigram/ai-session';
import { OrderedSessionStore, type OrderedSessionStoreOptions } from '@lexigram/ai-session/store';
import type { Keyv } from 'keyv';
import { KeyvEngine } from './keyv-engine.ts';

export interface KeyvStoreOptions extends OrderedSessionStoreOptions {
  /** How many pages, of some 4,000 characters, are kept in memory; 4,000. */
  readonly cachedPages?: number | undefined;
}

// #region open-keyv-store
/**
 * Sessions in whatever a Keyv keeps its keys in. One process at a time has them: the one that opened them last.
 *
 * @throws SessionUnsupportedError for a Keyv that lets keys expire, or in which other things are kept;
 * SessionStoreUnavailableError if it cannot be read or written
 */
export async function openKeyvStore(
  keyv: Keyv,
  options: KeyvStoreOptions = {},
): Promise<SessionStore> {
  return OrderedSessionStore.open(await KeyvEngine.open(keyv, options.cachedPages), options);
}
// #endregion
