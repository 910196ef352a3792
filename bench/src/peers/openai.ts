import { MemorySession } from '@openai/agents-core';
import type { Peer, PeerConversation, PeerTurn } from './peer.ts';

/** The session that comes with OpenAI's agents, its logging off. */
export const memorySession: Peer = {
  name: 'OpenAI MemorySession',
  async open() {
    const sessions = new Map<string, MemorySession>();
    const open = async (id: string): Promise<PeerConversation> => {
      const session = sessions.get(id);
      if (session === undefined) throw new Error(`no session ${id}`);
      return {
        add: (turn) => session.addItems([toItem(turn)]),
        last: async (count) => (await session.getItems(count)).map((item) => String(item.id)),
      };
    };
    return {
      open,
      async begin(id, turns) {
        sessions.set(id, new MemorySession({ initialItems: turns.map(toItem), logger: silent }));
        return open(id);
      },
      close: async () => {},
    };
  },
};

type Logger = NonNullable<NonNullable<ConstructorParameters<typeof MemorySession>[0]>['logger']>;

/** MemorySession writes each item as JSON for its log unless that is switched off. */
export const silent: Logger = {
  namespace: 'bench',
  debug: () => {},
  warn: () => {},
  error: () => {},
  dontLogModelData: true,
  dontLogToolData: true,
};

function toItem({ id, text }: PeerTurn) {
  return { id, type: 'message', role: 'user', content: text } as const;
}
