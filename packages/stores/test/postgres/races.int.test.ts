import { createSessions, SessionNotFoundError, type Sessions } from '@lexigram/ai-session';
import { PostgresSessionStore } from '@lexigram/ai-session-stores';
import { expect, it, onTestFinished } from 'vitest';
import { changingStatements, withoutVersion } from '../broken/changed-statements.ts';
import { faultsIn } from '../kit/database-faults.ts';
import { createPool, type TestSchema, temporarySchema } from '../kit/postgres-schema.ts';
import { type Random, randomOf } from '../kit/random.ts';
import { countOf } from '../scale.ts';

/** Services of as many processes, each over connections of its own. */
async function openAll(
  { schema, url }: TestSchema,
  count: number,
  change = (text: string) => text,
): Promise<readonly Sessions[]> {
  const opened: Sessions[] = [];
  for (let n = 0; n < count; n++) {
    const pool = createPool(url, 4);
    const store = await PostgresSessionStore.open(changingStatements(pool, change), { schema });
    onTestFinished(async () => {
      await store.close();
      await pool.end();
    });
    opened.push(await createSessions({}, { store }));
  }
  return opened;
}

/** Lets the event loop turn a number of times that the seed decides. */
async function soon(random: Random): Promise<void> {
  for (let i = random.between(0, 12); i > 0; i--)
    await new Promise((resolve) => setImmediate(resolve));
}

/** One delete against eight appends, in as many rounds; answers what was left, and how many came too late. */
async function race(
  opened: readonly Sessions[],
  { query }: TestSchema,
  rounds: number,
): Promise<{ readonly left: readonly string[]; readonly late: number }> {
  const [one] = opened as [Sessions];
  const random = randomOf(23);
  let late = 0;
  const strange: string[] = [];
  for (let round = 1; round <= rounds; round++) {
    const sessionId = `r${round}`;
    await one.manager.create({ userId: 'u', sessionId, metadata: { a: 1 } });
    const work = Array.from({ length: 8 }, async (_, i) => {
      const { checkpoints, manager } = random.pick(opened);
      await soon(random);
      const turn = { role: 'user', content: `${i}` } as const;
      await manager.addTurn(sessionId, turn, { variables: { i }, operationId: `${i}` });
      if (i === 0) await checkpoints.create(sessionId, { label: 'x' });
      if (i === 1) await manager.rewind(sessionId, { toSeq: 1 });
    });
    const deleted = soon(random).then(() => random.pick(opened).manager.delete(sessionId));
    for (const result of await Promise.allSettled([...work, deleted])) {
      if (result.status === 'fulfilled') continue;
      late += 1;
      if (!(result.reason instanceof SessionNotFoundError)) strange.push(String(result.reason));
    }
  }
  const left: string[] = [...strange];
  for (const table of ['turns', 'timelines', 'records', 'variables']) {
    const rows = await query<{ id: string }>(
      `SELECT s.session_id AS id FROM {schema}.ai_${table} t JOIN {schema}.ai_sessions s ON s.key = t.session`,
    );
    left.push(...rows.map(({ id }) => `${table} of ${id}`));
  }
  const living = await query("SELECT 1 FROM {schema}.ai_sessions WHERE status <> 'deleted'");
  return { left: [...left, ...living.map(() => 'a session')], late };
}

it('a delete leaves nothing but the tombstone, whatever is written meanwhile', async () => {
  const schema = await temporarySchema();
  const { late, left } = await race(await openAll(schema, 4), schema, countOf('deleteRaces'));
  expect(left).toEqual([]);
  expect(late).toBeGreaterThan(0);
  expect(await faultsIn(schema.place)).toEqual([]);
});

it('the same race leaves something if writers do not look at the version', async () => {
  const schema = await temporarySchema();
  const { left } = await race(await openAll(schema, 4, withoutVersion), schema, 10);
  expect(left).not.toEqual([]);
});

it('owners keep their cap, however many processes make their sessions', async () => {
  const schema = await temporarySchema();
  const opened = await openAll(schema, 4);
  const made = await Promise.allSettled(
    Array.from({ length: 160 }, (_, i) =>
      (opened[i % 4] as Sessions).manager.create({ userId: 'u', sessionId: `s${i}` }),
    ),
  );
  expect(made.filter((it) => it.status === 'fulfilled')).toHaveLength(100);
  const errors = made.flatMap((it) => (it.status === 'rejected' ? [it.reason as Error] : []));
  expect(new Set(errors.map((error) => error.name))).toEqual(new Set(['SessionCapacityError']));
});
