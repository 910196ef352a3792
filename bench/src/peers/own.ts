import { createSessions, type Sessions } from '@lexigram/ai-session';
import { noCaps, openSessions } from '../sessions.ts';
import type { Peer, PeerConversation, PeerStore, PeerTurn } from './peer.ts';

/** Ours, over SQLite, with checkpoints and usage as they come. */
export const ownSqlite: Peer = {
  name: 'ours',
  open: async (directory) => toStore(await openSessions(directory, 'own.db', 'normal', noCaps)),
};

/** Ours, in memory. */
export const ownMemory: Peer = {
  name: 'ours',
  open: async () => toStore(await createSessions(noCaps)),
};

export function toStore(sessions: Sessions): PeerStore {
  const { branches, manager } = sessions;
  const open = async (sessionId: string): Promise<PeerConversation> => ({
    add: async (turn) => void (await manager.addTurn(sessionId, toTurn(turn))),
    async last(count) {
      const { turns } = await manager.getState(sessionId, { turns: count });
      return turns.map(({ turnId }) => turnId);
    },
  });
  return {
    open,
    async begin(sessionId, turns) {
      await manager.create({ sessionId, userId: sessionId });
      for (let from = 0; from < turns.length; from += 100) {
        await manager.addTurns(sessionId, turns.slice(from, from + 100).map(toTurn));
      }
      return open(sessionId);
    },
    copy: (sessionId, to) => branches.fork(sessionId, to),
    close: () => sessions.close(),
  };
}

function toTurn({ id, text }: PeerTurn) {
  return { turnId: id, role: 'assistant', content: text } as const;
}
