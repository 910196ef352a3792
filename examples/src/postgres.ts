import assert from 'node:assert/strict';
import { createSessions } from '@lexigram/ai-session';
import { PostgresSessionStore } from '@lexigram/ai-session-stores';
import { Client, Pool } from 'pg';

/** Stands for what a cloud gives out in place of a password. */
const freshToken = async (): Promise<string> => 'a token of the next minutes';

const url = process.env['DATABASE_URL'] ?? 'postgres://localhost/sessions';
const poolerUrl = process.env['POOLER_URL'] ?? url;

// #region database
const sessions = await createSessions({ backend: 'database', database: { url } });
const { sessionId } = await sessions.manager.create({ userId: 'ada' });
await sessions.manager.addTurn(sessionId, { role: 'user', content: 'Hello!' });
// #endregion
await sessions.close();

// #region pool
const pool = new Pool({ connectionString: url, max: 20 });
const store = await PostgresSessionStore.open(pool, { callTimeoutMs: 3_000 });
const overPool = await createSessions({}, { store });
// #endregion
assert.equal((await overPool.manager.getState(sessionId)).turnCount, 1);
await overPool.close(); // a store that was given stays open, and so does a pool
await store.close();
await pool.end();

// #region factory
const overClients = await PostgresSessionStore.open(
  async () => {
    const client = new Client({ connectionString: url, password: await freshToken() });
    await client.connect();
    return client;
  },
  { maxConnections: 5 },
);
// #endregion
assert.notEqual(await overClients.session(sessionId), null);
await overClients.close();

// #region pooler
const pooled = await PostgresSessionStore.open(poolerUrl, { behindPooler: true, directUrl: url });
// #endregion
assert.notEqual(await pooled.session(sessionId), null);
await pooled.close();
