import { InMemorySessionStore } from '@lexigram/ai-session';
import type { OpenedStore, OpenStore } from '../src/index.ts';

/** The in-memory store on trial. */
export const openMemory: OpenStore = async ({ clock }): Promise<OpenedStore> => {
  const store = new InMemorySessionStore({ clock });
  return { store, dispose: () => store.close() };
};
