import { DatabaseSessionService } from '@google/adk';
import { PostgresSaver } from '@langchain/langgraph-checkpoint-postgres';
import { createSessions } from '@lexigram/ai-session';
import { PostgresStore } from '@mastra/pg';
import { PostgreSqlDriver } from '@mikro-orm/postgresql';
import { noCaps } from '../sessions.ts';
import { toStore as adkStore, type Orm } from './adk.ts';
import { toStore as langgraphStore } from './langgraph.ts';
import { toStore as mastraStore } from './mastra.ts';
import { toStore as ownStore } from './own.ts';
import type { Peer } from './peer.ts';

// Each peer opens the URL of an empty database, and sets up what it needs.

export const ownPostgres: Peer = {
  name: 'ours',
  open: async (url) =>
    ownStore(await createSessions({ ...noCaps, backend: 'database', database: { url } })),
};

export const postgresSaver: Peer = {
  name: 'LangGraph PostgresSaver',
  async open(url) {
    const saver = PostgresSaver.fromConnString(url);
    await saver.setup();
    return langgraphStore(saver, () => saver.end());
  },
};

export const mastraPostgres: Peer = {
  name: 'Mastra PostgresStore',
  async open(url) {
    const store = new PostgresStore({ id: 'bench', connectionString: url });
    await store.init();
    const memory = await store.getStore('memory');
    if (memory === undefined) throw new Error('PostgresStore has no memory');
    return mastraStore(memory, () => store.close());
  },
};

export const adkPostgres: Peer = {
  name: 'ADK DatabaseSessionService',
  async open(url) {
    const service = new DatabaseSessionService({ driver: PostgreSqlDriver, clientUrl: url });
    await service.init();
    const { orm } = service as unknown as { orm: Orm };
    return adkStore(service, () => orm.close());
  },
};
