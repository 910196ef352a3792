import { join } from 'node:path';
import type { MastraDBMessage } from '@mastra/core/agent';
import type { MemoryStorage } from '@mastra/core/storage';
import { LibSQLStore } from '@mastra/libsql';
import type { Peer, PeerConversation, PeerStore, PeerTurn } from './peer.ts';

/** Mastra's storage of messages over libSQL, in a local file, as it sets it up. */
export const mastra: Peer = {
  name: 'Mastra LibSQLStore',
  async open(directory) {
    const store = new LibSQLStore({ id: 'bench', url: `file:${join(directory, 'mastra.db')}` });
    await store.init();
    const memory = await store.getStore('memory');
    if (memory === undefined) throw new Error('LibSQLStore has no memory');
    return toStore(memory, async () => {});
  },
};

export function toStore(memory: MemoryStorage, close: () => Promise<void>): PeerStore {
  const open = async (threadId: string): Promise<PeerConversation> => ({
    add: async (turn) =>
      void (await memory.saveMessages({ messages: [toMessage(threadId, turn)] })),
    async last(count) {
      const { messages } = await memory.listMessages({
        threadId,
        page: 0,
        perPage: count,
        orderBy: { field: 'createdAt', direction: 'DESC' },
      });
      return messages.map(({ id }) => id);
    },
  });
  return {
    open,
    async begin(id, turns) {
      const now = new Date();
      const thread = {
        id,
        resourceId: id,
        title: '',
        createdAt: now,
        updatedAt: now,
        metadata: {},
      };
      await memory.saveThread({ thread });
      for (let from = 0; from < turns.length; from += 100) {
        const messages = turns.slice(from, from + 100).map((turn) => toMessage(id, turn));
        await memory.saveMessages({ messages });
      }
      return open(id);
    },
    copy: (sourceThreadId, newThreadId) => memory.cloneThread({ sourceThreadId, newThreadId }),
    close,
  };
}

let last = 0;

function toMessage(threadId: string, { id, text }: PeerTurn): MastraDBMessage {
  // Its order is by time: of one process, no two are the same.
  last = Math.max(last + 1, Date.now());
  return {
    id,
    threadId,
    resourceId: threadId,
    role: 'assistant',
    type: 'text',
    createdAt: new Date(last),
    content: { format: 2, parts: [{ type: 'text', text }] },
  };
}
