import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSessions } from '@lexigram/ai-session';
import { bindLaws } from '@lexigram/ai-session-contract';
import { PostgresServer, postgresUrl } from '@lexigram/ai-session-servers';
import { PostgresSessionStore } from '@lexigram/ai-session-stores';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { documentedSql } from '../kit/documented-sql.ts';
import { openPostgresOtherwise } from '../kit/open-postgres.ts';
import { schemaName, type TestSchema, temporarySchema } from '../kit/postgres-schema.ts';
import { someLaws } from '../kit/some-laws.ts';

const sql = documentedSql('scale.md', 'Partitions');

/** Parts the turns of a schema, as one transaction. */
async function partition(url: string, schema: string, text = sql): Promise<void> {
  const client = new Client(url);
  await client.connect();
  try {
    await client.query(`SET search_path TO "${schema}"; BEGIN; ${text}; COMMIT`);
  } finally {
    await client.end();
  }
}

describe('over parted turns', () => {
  const onSchema = async (schema: string) => partition(await postgresUrl(), schema);
  const open = openPostgresOtherwise({ onSchema });
  bindLaws({ describe, it }, open, someLaws(2));
});

/** The constraints and indexes of the turns, each as the statement that makes it. */
async function indexesOf({ query, schema }: TestSchema): Promise<readonly string[]> {
  const rows = await query<{ readonly made: string }>(
    `SELECT replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') || ' ' ||
       coalesce((SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conindid = i.indexrelid), '') AS made
     FROM pg_index i WHERE i.indrelid = '{schema}.ai_turns'::regclass ORDER BY 1`,
  );
  return rows.map(({ made }) => made.replaceAll(schema, 's'));
}

it('parted turns have the columns and indexes that they had, and what was said', async () => {
  const place = await temporarySchema();
  const { schema, url } = place;
  const columns = `SELECT attname, format_type(atttypid, atttypmod) AS type, attnotnull, attcollation::text
    FROM pg_attribute WHERE attrelid = '{schema}.ai_turns'::regclass AND attnum > 0 ORDER BY attnum`;
  const store = await PostgresSessionStore.open(url, { schema });
  onTestFinished(() => store.close());
  const { manager } = await createSessions({}, { store });
  const ids: string[] = [];
  for (let n = 0; n < 20; n++) {
    const { sessionId } = await manager.create({ userId: 'u' });
    ids.push(sessionId);
    await manager.addTurns(sessionId, [
      { role: 'user', content: `${n}` },
      { role: 'assistant', content: 'Hello!', turnId: `t${n}` },
    ]);
  }
  const before = [await indexesOf(place), await place.query(columns)];
  await partition(url, schema);
  expect([await indexesOf(place), await place.query(columns)]).toEqual(before);
  for (const [n, id] of ids.entries()) {
    const state = await manager.getState(id, { turns: 'all' });
    expect(state.turns.map(({ content }) => content)).toEqual([`${n}`, 'Hello!']);
    // The store that was open all along goes on.
    await manager.addTurn(id, { role: 'user', content: 'more' });
  }
  const parts = await place.query<{ readonly turns: number }>(
    `SELECT count(*)::integer AS turns FROM {schema}.ai_turns GROUP BY tableoid`,
  );
  expect(parts.length).toBeGreaterThan(4);
  expect(parts.reduce((sum, { turns }) => sum + turns, 0)).toBe(60);
});

it('by the timeline as well they cannot be parted: automatic checkpoints are unique in a session', async () => {
  const { schema, url } = await temporarySchema();
  await (await PostgresSessionStore.open(url, { schema })).close();
  const byTimeline = sql.replace('HASH (session)', 'HASH (session, timeline)');
  await expect(partition(url, schema, byTimeline)).rejects.toThrow(
    /unique constraint on partitioned table must include all partitioning columns/,
  );
  await partition(url, schema);
});

it('a call on a session looks into the part that holds it; a turn under an id of one’s own into all', async () => {
  const server = await PostgresServer.start({
    settings: {
      fsync: 'off',
      session_preload_libraries: 'auto_explain',
      'auto_explain.log_min_duration': 0,
      'auto_explain.log_analyze': 'on',
    },
  });
  onTestFinished(() => server.stop());
  const schema = schemaName();
  const store = await PostgresSessionStore.open(server.url, { schema });
  onTestFinished(() => store.close());
  await partition(server.url, schema);
  const { branches, manager } = await createSessions({}, { store });
  const { sessionId } = await manager.create({ userId: 'u' });
  /** The parts that were read from since the last look, and with what. */
  let from = readFileSync(join(server.folder, 'log')).length;
  const look = (): { readonly parts: ReadonlySet<string>; readonly scans: number } => {
    const log = readFileSync(join(server.folder, 'log'));
    const said = log.subarray(from).toString();
    from = log.length;
    const reads = [...said.matchAll(/Scan.* on (ai_turns_\d+) .*\(actual time/g)];
    expect(said).not.toMatch(/Seq Scan on ai_turns/);
    return { parts: new Set(reads.map(([, part]) => part as string)), scans: reads.length };
  };
  for (let n = 0; n < 12; n++) {
    await manager.addTurn(sessionId, { role: 'user', content: 'Hello!' });
    await manager.getState(sessionId, { turns: 20 });
  }
  await manager.rewind(sessionId, { toSeq: 6 });
  await branches.fork(sessionId, 'b');
  const { parts, scans } = look();
  expect(scans).toBeGreaterThanOrEqual(12);
  expect(parts.size).toBe(1);

  await manager.addTurn(sessionId, { role: 'user', content: 'Hello!', turnId: 'mine' });
  expect(look().parts.size).toBe(16);
});
