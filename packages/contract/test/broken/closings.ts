import { InMemorySessionStore, type SessionStore } from '@lexigram/ai-session';
import type { OpenStore } from '../../src/index.ts';
import { faulty } from './breaking.ts';

/** A store that is opened again as `change` leaves it. */
function reopening(change: (inner: SessionStore) => SessionStore): OpenStore {
  return async ({ clock }) => {
    const inner = new InMemorySessionStore({ clock });
    return {
      store: faulty(inner, { close: async () => undefined }),
      reopen: async () => change(inner),
      dispose: () => inner.close(),
    };
  };
}

/** Keeps all of it: not broken, and what proves that the laws of persistence can be kept. */
export const keepsAll: OpenStore = reopening((inner) => faulty(inner, {}));

/** Loses the last entry of each feed. */
export const losesTheLastEntry: OpenStore = reopening((inner) =>
  faulty(inner, {
    feed: async (id, page) => (await inner.feed(id, page)).slice(0, -1),
  }),
);

/** Forgets which operations were done. */
export const forgetsWhatWasDone: OpenStore = reopening((inner) =>
  faulty(inner, {
    commit: (id, { operation: _, ...commit }) => inner.commit(id, commit),
  }),
);
