import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenStore, openLasting } from '@lexigram/ai-session-contract';
import { Keyv } from 'keyv';
import { Folder } from '../../custom-store/folder.ts';
import { openKeyvStore } from '../../custom-store/keyv-store.ts';

/** The store on trial over keys in memory. */
export const openInMap: OpenStore = ({ clock }) => {
  const store = new Map();
  return openLasting(() => openKeyvStore(new Keyv({ store }), { clock }));
};

/** Over keys in memory, and with so little of its own that it reads nearly every page each time. */
export const openWithoutCache: OpenStore = ({ clock }) => {
  const store = new Map();
  return openLasting(() => openKeyvStore(new Keyv({ store }), { clock, cachedPages: 1 }));
};

/** Over a folder of its own. */
export const openInFolder: OpenStore = async ({ clock }) => {
  const path = await mkdtemp(join(tmpdir(), 'lexigram-keyv-'));
  const open = () => openKeyvStore(new Keyv({ store: new Folder(path) }), { clock });
  return openLasting(open, () => rm(path, { recursive: true }));
};
