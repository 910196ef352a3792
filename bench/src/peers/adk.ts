import { join } from 'node:path';
import {
  type BaseSessionService,
  createEvent,
  DatabaseSessionService,
  InMemorySessionService,
} from '@google/adk';
import { LibSqlDriver } from '@mikro-orm/libsql';
import type { Peer, PeerConversation, PeerStore, PeerTurn } from './peer.ts';

/** Google ADK's DatabaseSessionService on SQLite, with the journal and the durability of the others. */
export const adkDatabase: Peer = {
  name: 'ADK DatabaseSessionService',
  async open(directory) {
    const dbName = join(directory, 'adk.db');
    const service = new DatabaseSessionService({ driver: LibSqlDriver, dbName });
    await service.init();
    const { orm } = service as unknown as { orm: Orm };
    const connection = orm.em.getConnection();
    for (const pragma of ['journal_mode = WAL', 'synchronous = NORMAL', 'busy_timeout = 5000']) {
      await connection.execute(`PRAGMA ${pragma}`);
    }
    // It has no call for many events, and a call for each would take minutes to begin with.
    return toStore(service, () => orm.close(), {
      async fill(sessionId, turns) {
        const events = turns.map((turn) => ({ id: turn.id, at: nextTime() }));
        await connection.execute(fillSql, [JSON.stringify(events), sessionId]);
      },
    });
  },
};

/** Writes the first event of a session again, under other ids and times. */
const fillSql = `INSERT INTO events SELECT j.value ->> '$.id', app_name, user_id, session_id, invocation_id,
  j.value ->> '$.at', json_set(event_data, '$.id', j.value ->> '$.id', '$.timestamp', j.value ->> '$.at')
  FROM events, json_each(?) j WHERE session_id = ?`;

export const adkMemory: Peer = {
  name: 'ADK InMemorySessionService',
  open: async () => toStore(new InMemorySessionService(), async () => {}),
};

export interface Orm {
  readonly em: {
    getConnection(): { execute(sql: string, parameters?: readonly unknown[]): Promise<unknown> };
  };
  close(): Promise<void>;
}

/** Adds many turns to a session that has one. */
interface Filler {
  fill(sessionId: string, turns: readonly PeerTurn[]): Promise<unknown>;
}

const who = { appName: 'bench', userId: 'user' } as const;

export function toStore(
  service: BaseSessionService,
  close: () => Promise<void>,
  filler?: Filler,
): PeerStore {
  const open = async (sessionId: string): Promise<PeerConversation> => {
    const read = async (count?: number) => {
      const config = count === undefined ? {} : { config: { numRecentEvents: count } };
      const session = await service.getSession({ ...who, sessionId, ...config });
      if (session === undefined) throw new Error(`no session ${sessionId}`);
      return session;
    };
    // A runner holds the session for as long as it answers; here for all turns, which spares it reading them.
    const session = await read(1);
    return {
      add: async (turn) => void (await service.appendEvent({ session, event: toEvent(turn) })),
      last: async (count) => (await read(count)).events.map(({ id }) => id),
    };
  };
  return {
    open,
    async begin(sessionId, turns) {
      const session = await service.createSession({ ...who, sessionId });
      const single = filler === undefined ? turns : turns.slice(0, 1);
      for (const turn of single) await service.appendEvent({ session, event: toEvent(turn) });
      await filler?.fill(sessionId, turns.slice(1));
      return open(sessionId);
    },
    close,
  };
}

let last = 0;

/** Its order is by time: of one process, no two are the same. */
function nextTime(): number {
  last = Math.max(last + 1, Date.now());
  return last;
}

function toEvent({ id, text }: PeerTurn) {
  return createEvent({
    id,
    author: 'model',
    timestamp: nextTime(),
    content: { role: 'model', parts: [{ text }] },
  });
}
