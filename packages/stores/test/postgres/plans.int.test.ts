import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSessions } from '@lexigram/ai-session';
import { PostgresServer } from '@lexigram/ai-session-servers';
import { PostgresSessionStore } from '@lexigram/ai-session-stores';
import { Client } from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { temporarySchema } from '../kit/postgres-schema.ts';

it('no call reads a table from end to end that grows with what was said', async () => {
  const server = await PostgresServer.start({
    settings: {
      fsync: 'off',
      session_preload_libraries: 'auto_explain',
      'auto_explain.log_min_duration': 0,
    },
  });
  onTestFinished(() => server.stop());
  const store = await PostgresSessionStore.open(server.url);
  onTestFinished(() => store.close());
  const { branches, checkpoints, manager } = await createSessions(
    { maxTurnsPerSession: 100_000 },
    { store },
  );
  const { sessionId } = await manager.create({ userId: 'u', systemPrompt: 'be brief' });
  const turn = { role: 'user', content: 'x'.repeat(300) } as const;
  for (let n = 0; n < 30; n++) await manager.addTurns(sessionId, Array(100).fill(turn));
  const from = (await store.changes({ after: null, limit: 1 })).next;

  // Often enough that the server makes plans that serve any value.
  for (let n = 0; n < 8; n++) {
    const added = await manager.addTurn(sessionId, turn, { variables: { n }, operationId: `${n}` });
    await manager.addTurn(sessionId, { ...turn, turnId: `mine-${n}` });
    await manager.addTurn(sessionId, { ...turn, turnId: `mine-${n}` });
    await checkpoints.create(sessionId, { label: `${n}` });
    await checkpoints.list(sessionId);
    await branches.fork(sessionId, `b${n}`);
    await manager.rewind(sessionId, { toSeq: 2_900 + n });
    await manager.undo(sessionId);
    await manager.edit(sessionId, added.turn.turnId, 'otherwise');
    await manager.getState(sessionId, { turns: 50 });
    await manager.list({ userId: 'u' });
    await store.feed(sessionId, { after: 20 + n, limit: 50 });
    await store.changes({ after: from, limit: 20 });
    await store.report({ groupBy: 'model', limit: 10 });
    await store.due({ limit: 10 });
  }
  const log = readFileSync(join(server.folder, 'log'), 'utf8');
  expect(log).toContain('Index Scan using ai_turns_place');
  expect(log).toMatch(/Index Scan (?:using|on) ai_turns_id/);
  const scans = [...log.matchAll(/Seq Scan on (ai_(?:turns|timelines|variables))\b/g)];
  expect([...new Set(scans.map(([, table]) => table))]).toEqual([]);
});

it('a statement is planned once on a connection, whatever its values are', async () => {
  const { schema, url } = await temporarySchema();
  const clients: Client[] = [];
  const factory = async (): Promise<Client> => {
    const client = new Client(url);
    await client.connect();
    clients.push(client);
    return client;
  };
  const store = await PostgresSessionStore.open(factory, { schema, maxConnections: 1 });
  onTestFinished(() => store.close());
  const { branches, manager } = await createSessions({ maxBranchesPerSession: 20 }, { store });
  for (let n = 0; n < 12; n++) {
    const { sessionId } = await manager.create({ userId: `u${n}` });
    await manager.addTurn(sessionId, { role: 'user', content: 'Hello!' });
    await manager.getState(sessionId, { turns: 20 });
    await manager.list({ limit: n + 1 });
    await manager.list({ userId: `u${n}`, limit: 20 });
    await branches.fork(sessionId, 'b');
  }
  const [client] = clients as [Client];
  const { rows } = await client.query(
    'SELECT statement, generic_plans, custom_plans FROM pg_prepared_statements',
  );
  expect(rows.filter((row) => Number(row.generic_plans) >= 12).length).toBeGreaterThan(5);
  expect(rows.filter((row) => Number(row.custom_plans) > 0)).toEqual([]);
});
