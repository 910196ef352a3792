import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSessions, type Sessions } from '@lexigram/ai-session';
import { PostgresServer } from '@lexigram/ai-session-servers';
import { PostgresSessionStore } from '@lexigram/ai-session-stores';
import { Client, Pool } from 'pg';
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

it('what a call reads of a session does not grow with its moves', async () => {
  const server = await PostgresServer.start({ settings: { fsync: 'off' } });
  onTestFinished(() => server.stop());
  const turn = { role: 'user', content: 'x' } as const;
  const open = async (options: string) => {
    const pool = new Pool({ connectionString: server.url, options });
    const store = await PostgresSessionStore.open(pool);
    onTestFinished(async () => {
      await store.close();
      await pool.end();
    });
    return createSessions({ autoCheckpointInterval: 2 }, { store });
  };
  const { checkpoints, manager } = await open('-c jit=off');
  const { sessionId } = await manager.create({ userId: 'u' });
  await manager.addTurns(sessionId, Array(8).fill(turn));
  const { checkpointId } = await checkpoints.create(sessionId);
  const moves = 150;
  for (let n = 0; n < moves; n += 2) {
    await manager.rewind(sessionId, { toSeq: 4 });
    await manager.undo(sessionId);
  }

  const explained = await open(
    [
      'plan_cache_mode=force_generic_plan',
      'session_preload_libraries=auto_explain',
      'auto_explain.log_min_duration=0',
      'auto_explain.log_analyze=on',
    ]
      .map((setting) => `-c ${setting}`)
      .join(' '),
  );
  await useAll(explained, sessionId, checkpointId);
  const read = readOf(readFileSync(join(server.folder, 'log'), 'utf8'));
  expect(read.size).toBeGreaterThan(5);
  expect([...read].filter(([, rows]) => rows > moves / 4)).toEqual([]);
});

/** Calls that look for records, timelines, marks and turns of a session in every way. */
async function useAll(
  { branches, checkpoints, manager }: Sessions,
  sessionId: string,
  checkpointId: string,
): Promise<void> {
  const turn = { role: 'user', content: 'x' } as const;
  const { turn: last } = await manager.addTurn(sessionId, turn, { operationId: 'o' });
  await manager.addTurn(sessionId, { ...turn, turnId: 'mine' }, { variables: { a: 1 } });
  await manager.addTurn(sessionId, { ...turn, turnId: 'mine' });
  await manager.setMetadata(sessionId, { a: 1 });
  for (const { checkpointId: mark } of (await checkpoints.list(sessionId)).items) {
    await checkpoints.get(mark);
    await checkpoints.restore(mark);
  }
  await checkpoints.restore(checkpointId);
  await manager.undo(sessionId);
  await manager.redo(sessionId);
  await manager.undo(sessionId);
  await checkpoints.create(sessionId, { label: 'one' });
  const { items } = await checkpoints.list(sessionId, { limit: 2 });
  for (const one of items) await checkpoints.delete(one.checkpointId);
  const branch = await branches.fork(sessionId, 'b');
  await manager.addTurn(branch.sessionId, turn);
  await branches.merge(sessionId, branch.sessionId);
  await branches.list(sessionId);
  const { turn: newest } = await manager.addTurn(sessionId, turn);
  await manager.edit(sessionId, newest.turnId, 'otherwise');
  expect(last.seq).toBe(9);
  await manager.getState(sessionId, { turns: 20 });
}

/** The most rows that a scan of each table read, as the plans in a log tell. */
function readOf(log: string): ReadonlyMap<string, number> {
  const most = new Map<string, number>();
  const scans =
    /Scan.* on (ai_\w+).*actual time=\S+ rows=(\d+) loops=(\d+)\)(?:\n.*Cond: .*)*(?:\n.*Filter: .*\n.*Rows Removed by Filter: (\d+))?/g;
  for (const [, name = '', rows, loops, removed = '0'] of log.matchAll(scans)) {
    const count = (Number(rows) + Number(removed)) * Number(loops);
    most.set(name, Math.max(most.get(name) ?? 0, count));
  }
  return most;
}
