import { createSessions, isSessionError, type SessionManager } from '@lexigram/ai-session';
import { PostgresServer } from '@lexigram/ai-session-servers';
import { PostgresSessionStore } from '@lexigram/ai-session-stores';
import { expect, it, onTestFinished } from 'vitest';
import { faultsIn } from '../kit/database-faults.ts';
import { placeOf, temporarySchema } from '../kit/postgres-schema.ts';
import { randomOf } from '../kit/random.ts';
import { countOf } from '../scale.ts';

interface Run {
  /** Turns that were acknowledged. */
  readonly acknowledged: number;
  /** Those of them that are not there. */
  readonly missing: readonly string[];
  /** Turns that are there more than once. */
  readonly doubled: readonly string[];
  readonly faults: readonly string[];
  /** The longest that it took, once the server was back, until a turn was acknowledged. */
  readonly backAfterMs: number;
}

/** Sixteen writers to eight sessions, while the server is killed with all its processes and started again. */
async function writeThroughKills(
  synchronous: 'full' | 'normal',
  kills: number,
  wanted: number,
): Promise<Run> {
  const server = await PostgresServer.start({ settings: { wal_writer_delay: '1000ms' } });
  onTestFinished(() => server.stop());
  const { query, schema } = await temporarySchema(server.url);
  const store = await PostgresSessionStore.open(server.url, { schema, synchronous });
  onTestFinished(() => store.close());
  const { manager } = await createSessions({ maxTurnsPerSession: 1_000_000 }, { store });
  const ids = Array.from({ length: 8 }, (_, i) => `s${i}`);
  for (const sessionId of ids) await manager.create({ userId: 'u', sessionId });
  const acknowledged: string[] = [];
  let writing = true;
  const writers = Array.from({ length: 16 }, (_, i) =>
    write(manager, ids[i % ids.length] as string, i, acknowledged, () => writing),
  );
  const random = randomOf(5);
  let backAfterMs = 0;
  for (let kill = 1; kill <= kills; kill++) {
    const enough = (acknowledged.length + wanted / kills) | 0;
    await until(() => acknowledged.length >= enough);
    for (let turns = random.between(0, 50); turns > 0; turns--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await server.kill();
    await server.restart();
    const back = performance.now();
    const before = acknowledged.length;
    await until(() => acknowledged.length > before);
    backAfterMs = Math.max(backAfterMs, performance.now() - back);
  }
  writing = false;
  await Promise.all(writers);
  const rows = await query<{ turn: string }>(
    "SELECT body::json ->> 'content' AS turn FROM {schema}.ai_turns",
  );
  const stored = Map.groupBy(rows, ({ turn }) => turn);
  return {
    acknowledged: acknowledged.length,
    missing: acknowledged.filter((turn) => !stored.has(turn)),
    doubled: [...stored].filter(([, of]) => of.length > 1).map(([turn]) => turn),
    faults: await faultsIn(placeOf(server.url, schema)),
    backAfterMs,
  };
}

async function write(
  manager: SessionManager,
  sessionId: string,
  writer: number,
  acknowledged: string[],
  goesOn: () => boolean,
): Promise<void> {
  for (let n = 1; goesOn(); n++) {
    const content = `${writer} ${n}`;
    try {
      await manager.addTurn(sessionId, { role: 'user', content });
      acknowledged.push(content);
    } catch (error) {
      // While the server is away; whether such a turn is there, nobody was told.
      if (!isSessionError(error) || error.code !== 'LEX_ERR_SES_016') throw error;
    }
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

it('a kill -9 of the server loses nothing that was acknowledged, and the store is soon back', async ({
  annotate,
}) => {
  const wanted = countOf('serverAcknowledged');
  const run = await writeThroughKills('full', countOf('serverKills'), wanted);
  await annotate(`${run.acknowledged} acknowledged, back after ${Math.round(run.backAfterMs)} ms`);
  expect(run).toMatchObject({ missing: [], doubled: [], faults: [] });
  expect(run.acknowledged).toBeGreaterThanOrEqual(wanted);
  expect(run.backAfterMs).toBeLessThan(5_000);
});

it('the same check finds what a server loses that answers before it writes', async () => {
  const { missing } = await writeThroughKills('normal', 3, 600);
  expect(missing).not.toEqual([]);
});
