import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenStore, openLasting } from '@lexigram/ai-session-contract';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';

/** The SQLite store on trial, in a file of its own. */
export const openSqlite: OpenStore = async ({ clock }) => {
  const folder = await mkdtemp(join(tmpdir(), 'lexigram-stores-'));
  const path = join(folder, 'sessions.db');
  // What a power cut takes is tried elsewhere.
  const open = () => SqliteSessionStore.open(path, { clock, synchronous: 'normal' });
  return openLasting(open, () => rm(folder, { recursive: true }));
};
