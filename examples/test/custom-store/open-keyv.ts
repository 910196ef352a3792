import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpenStore } from '@lexigram/ai-session-contract';
import { Keyv } from 'keyv';
import { Folder } from '../../custom-store/folder.ts';
import { openKeyvStore } from '../../custom-store/keyv-store.ts';

/** Opens stores over keys that stay when the store is closed. */
function openOver(
  newKeyv: () => Keyv,
  dispose: () => Promise<void> = async () => {},
  cachedPages?: number,
): OpenStore {
  return async ({ clock }) => {
    const open = () => openKeyvStore(newKeyv(), { clock, cachedPages });
    let store = await open();
    return {
      store,
      reopen: async () => {
        store = await open();
        return store;
      },
      dispose: async () => {
        await store.close();
        await dispose();
      },
    };
  };
}

/** The store on trial over keys in memory. */
export const openInMap: OpenStore = (options) => {
  const keys = new Map();
  return openOver(() => new Keyv({ store: keys }))(options);
};

/** Over keys in memory, and with so little of its own that it reads nearly every page each time. */
export const openWithoutCache: OpenStore = (options) => {
  const keys = new Map();
  return openOver(() => new Keyv({ store: keys }), undefined, 1)(options);
};

/** Over a folder of its own. */
export const openInFolder: OpenStore = async (options) => {
  const path = await mkdtemp(join(tmpdir(), 'lexigram-keyv-'));
  const remove = () => rm(path, { recursive: true });
  return openOver(() => new Keyv({ store: new Folder(path) }), remove)(options);
};
