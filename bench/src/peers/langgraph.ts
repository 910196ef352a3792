import { join } from 'node:path';
import {
  type BaseCheckpointSaver,
  type Checkpoint,
  emptyCheckpoint,
  MemorySaver,
  uuid6,
} from '@langchain/langgraph-checkpoint';
import { SqliteSaver } from '@langchain/langgraph-checkpoint-sqlite';
import type { Peer, PeerConversation, PeerStore, PeerTurn } from './peer.ts';

/**
 * LangGraph's SqliteSaver. Its driver better-sqlite3 has no binary on npm; libsql, which has the same interface and
 * the same engine, stands in its place.
 */
export const sqliteSaver: Peer = {
  name: 'LangGraph SqliteSaver',
  async open(directory) {
    const saver = SqliteSaver.fromConnString(join(directory, 'langgraph.db'));
    const { db } = saver as unknown as { db: { pragma(text: string): unknown; close(): void } };
    db.pragma('synchronous = NORMAL');
    // What its documents recommend for more than one process.
    db.pragma('busy_timeout = 5000');
    return toStore(saver, () => db.close());
  },
};

export const memorySaver: Peer = {
  name: 'LangGraph MemorySaver',
  open: async () => toStore(new MemorySaver(), () => {}),
};

interface Message {
  readonly id: string;
  readonly type: string;
  readonly content: string;
}

/** One turn is one checkpoint, as a graph with a channel of messages writes it; what a graph writes besides is left out. */
export function toStore(saver: BaseCheckpointSaver, close: () => void | Promise<void>): PeerStore {
  const open = async (id: string): Promise<PeerConversation> => {
    const config = { configurable: { thread_id: id, checkpoint_ns: '' } };
    const newest = async (): Promise<readonly Message[]> => {
      const tuple = await saver.getTuple(config);
      return (tuple?.checkpoint.channel_values['messages'] ?? []) as readonly Message[];
    };
    return {
      async add(turn) {
        // An invocation begins with the newest checkpoint, and ends with the next one.
        const tuple = await saver.getTuple(config);
        const before = (tuple?.checkpoint.channel_values['messages'] ?? []) as readonly Message[];
        await put(saver, tuple?.config ?? config, [...before, toMessage(turn)]);
      },
      last: async (count) => (await newest()).slice(-count).map((message) => message.id),
    };
  };
  return {
    open,
    async begin(id, turns) {
      const config = { configurable: { thread_id: id, checkpoint_ns: '' } };
      await put(saver, config, turns.map(toMessage));
      return open(id);
    },
    // Its savers have no call for it: the newest checkpoint, read and put under another thread.
    async copy(id, to) {
      const tuple = await saver.getTuple({ configurable: { thread_id: id, checkpoint_ns: '' } });
      if (tuple === undefined) throw new Error(`no thread ${id}`);
      const { checkpoint, metadata } = tuple;
      const config = { configurable: { thread_id: to, checkpoint_ns: '' } };
      const step = { source: 'fork', step: metadata?.step ?? 0, parents: {} } as const;
      await saver.put(config, checkpoint, step, checkpoint.channel_versions);
    },
    close: async () => close(),
  };
}

let clock = 0;

async function put(
  saver: BaseCheckpointSaver,
  config: Parameters<BaseCheckpointSaver['put']>[0],
  messages: readonly Message[],
): Promise<void> {
  const versions = { messages: messages.length };
  const checkpoint: Checkpoint = {
    ...emptyCheckpoint(),
    id: uuid6(clock++ % 16_384),
    channel_values: { messages },
    channel_versions: versions,
  };
  const metadata = { source: 'loop', step: messages.length, parents: {} } as const;
  await saver.put(config, checkpoint, metadata, versions);
}

function toMessage({ id, text }: PeerTurn): Message {
  return { id, type: 'ai', content: text };
}
