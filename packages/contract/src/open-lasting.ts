import type { SessionStore } from '@lexigram/ai-session';
import type { OpenedStore } from './law.ts';

/**
 * A store on trial that keeps what it holds.
 *
 * @param open opens the same place each time
 * @param remove removes the place, once the store is closed
 */
export async function openLasting(
  open: () => Promise<SessionStore>,
  remove: () => Promise<unknown> = async () => {},
): Promise<OpenedStore> {
  let store = await open();
  return {
    store,
    reopen: async () => {
      store = await open();
      return store;
    },
    dispose: async () => {
      await store.close();
      await remove();
    },
  };
}
