import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SessionStore } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';

/** Stands for a store of your own. */
const MyStore = SqliteSessionStore;

// #region laws
import { describe, it } from 'node:test';
import { bindLaws } from '@lexigram/ai-session-contract';

bindLaws({ describe, it }, async ({ clock }) => {
  const folder = await mkdtemp(join(tmpdir(), 'laws-'));
  const opened: SessionStore[] = [];
  const reopen = async () => {
    const store = await MyStore.open(join(folder, 'sessions.db'), { clock });
    opened.push(store);
    return store;
  };
  const dispose = async () => {
    for (const store of opened) await store.close();
    await rm(folder, { recursive: true });
  };
  return { store: await reopen(), reopen, dispose };
});
// #endregion
