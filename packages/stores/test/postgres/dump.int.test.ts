import { join } from 'node:path';
import {
  createSessions,
  type SessionEvent,
  type SessionStore,
  type SessionSubscription,
  type Sessions,
  type SubscriptionResetEvent,
} from '@lexigram/ai-session';
import { PostgresServer } from '@lexigram/ai-session-servers';
import { PostgresSessionStore } from '@lexigram/ai-session-stores';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { changingStatements } from '../broken/changed-statements.ts';
import { faultsIn } from '../kit/database-faults.ts';
import { createPool, dropSchema, placeOf, schemaName } from '../kit/postgres-schema.ts';

/** What is dumped, and where it is restored: there transactions are fewer. */
let from: PostgresServer;
let to: PostgresServer;

beforeAll(async () => {
  from = await PostgresServer.start({ settings: { fsync: 'off' } });
  to = await PostgresServer.start({ settings: { fsync: 'off' } });
  await burn(from.url, 20_000);
});

afterAll(async () => {
  await from.stop();
  await to.stop();
});

async function openStore(
  url: string,
  schema: string,
  change: (text: string) => string = (text) => text,
): Promise<PostgresSessionStore> {
  const pool = createPool(url);
  onTestFinished(() => pool.end());
  const store = await PostgresSessionStore.open(changingStatements(pool, change), { schema });
  onTestFinished(() => store.close());
  return store;
}

const servicesOf = (store: SessionStore): Promise<Sessions> =>
  createSessions({ autoCheckpointInterval: null }, { store });

async function dump(schema: string): Promise<string> {
  const file = join(from.folder, `${schema}.sql`);
  await from.run('pg_dump', ['-n', schema, '-f', file]);
  return file;
}

async function restore(server: PostgresServer, file: string): Promise<void> {
  await server.run('psql', ['-q', '-v', 'ON_ERROR_STOP=1', '--single-transaction', '-f', file]);
}

/** Lets a server's count of transactions rise. */
async function burn(url: string, transactions: number): Promise<void> {
  const pool = createPool(url, 1);
  await pool.query(
    `DO $$ BEGIN FOR i IN 1..${transactions} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$`,
  );
  await pool.end();
}

async function addTurns({ manager }: Sessions, sessionId: string, ...contents: readonly string[]) {
  for (const content of contents) {
    await manager.addTurn(sessionId, { role: 'assistant', content, usage: { totalTokens: 10 } });
  }
}

type Told = SessionEvent | SubscriptionResetEvent;

const wordOf = (event: Told): string =>
  event.type === 'turn' ? String(event.turn.content) : event.type;

/** The cursor of the next event of that word. */
async function cursorOf(subscription: SessionSubscription, word: string): Promise<string> {
  for (;;) {
    const { value } = await subscription.next();
    if (value === undefined) throw new Error(`'${word}' was not told`);
    if (wordOf(value) === word) return value.cursor;
  }
}

/** What a subscriber that goes on at a cursor is told until it hears `last`, or for a moment. */
async function tellFrom({ events }: Sessions, after: string, last: string): Promise<string[]> {
  const told: string[] = [];
  const signal = AbortSignal.timeout(3_000);
  try {
    for await (const event of events.subscribe({ after, signal })) {
      told.push(wordOf(event));
      if (told.at(-1) === last) break;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return told;
}

const later = Array.from({ length: 10 }, (_, i) => `later ${i}`);

interface Restored {
  /** What subscribers are told that go on where they were: at a turn that the dump has, at one that it lacks, … */
  readonly told: readonly (readonly string[])[];
  readonly faults: readonly string[];
  /** The tokens of all turns, as the report has them. */
  readonly tokens: number;
}

/** What is there after sessions that went on after a dump were restored from it. */
async function restoreElsewhere(change?: (text: string) => string): Promise<Restored> {
  const schema = schemaName();
  const before = await servicesOf(await openStore(from.url, schema));
  await before.manager.create({ userId: 'u', sessionId: 's' });
  const subscription = before.events.subscribe();
  await subscription.start;
  await addTurns(before, 's', 'first', 'kept');
  const cursors = [await cursorOf(subscription, 'kept')];
  const file = await dump(schema);
  await addTurns(before, 's', 'lost');
  cursors.push(await cursorOf(subscription, 'lost'));
  await burn(from.url, 500);
  await addTurns(before, 's', 'lost as well');
  cursors.push(await cursorOf(subscription, 'lost as well'));
  cursors.push(await before.events.subscribe().start);

  await restore(to, file);
  const after = await servicesOf(await openStore(to.url, schema, change));
  await addTurns(after, 's', later[0] as string);
  await burn(to.url, 1_000);
  await addTurns(after, 's', ...later.slice(1));
  const last = later.at(-1) as string;
  const told = await Promise.all(cursors.map((cursor) => tellFrom(after, cursor, last)));
  const { total } = await after.analytics.report({ groupBy: 'model' });
  return { told, faults: await faultsIn(placeOf(to.url, schema)), tokens: total.totalTokens };
}

it('a dump that is restored into a younger server goes on, and subscribers are told that something is missing', async () => {
  const { faults, told, tokens } = await restoreElsewhere();
  expect(told).toEqual(Array(4).fill(['reset', ...later]));
  expect(faults).toEqual([]);
  expect(tokens).toBe(120);
});

it.each([
  ['go on where the dump ends', (text: string) => text.replaceAll('4294967296', '1')],
  ['stay as they are', (text: string) => (text.includes('SET base = k.base') ? 'SELECT 1' : text)],
])('the same check finds what is told wrongly if positions %s', async (_, change) => {
  const { told } = await restoreElsewhere(change);
  expect(told).not.toEqual(Array(4).fill(['reset', ...later]));
});

/** A dump of a server on which everything was deleted, and what becomes of the first turn after it. */
async function restoreEmpty(change?: (text: string) => string) {
  const schema = schemaName();
  const store = await openStore(from.url, schema);
  const before = await servicesOf(store);
  await before.manager.create({ userId: 'u', sessionId: 'old' });
  await addTurns(before, 'old', 'said');
  await before.analytics.report({ groupBy: 'model' });
  await before.manager.delete('old');
  await store.collect({ before: Date.now() + 60_000, limit: 1_000 });
  const file = await dump(schema);

  await restore(to, file);
  const after = await servicesOf(await openStore(to.url, schema, change));
  await after.manager.create({ userId: 'u', sessionId: 'new' });
  const cursor = await after.events.subscribe().start;
  await addTurns(after, 'new', 'said');
  const { total } = await after.analytics.report({ groupBy: 'model' });
  return { told: await tellFrom(after, cursor, 'said'), tokens: total.totalTokens };
}

it('so does a dump of which nothing is left but what was counted', async () => {
  expect(await restoreEmpty()).toEqual({ told: ['said'], tokens: 20 });
});

it('the same check finds what is lost if only turns and the journal are looked at', async () => {
  const found = await restoreEmpty((text) =>
    text
      .replace(/\(SELECT max\(position\) FROM "\w+".ai_usage_until\)/, 'NULL')
      .replace(/\(SELECT dropped FROM "\w+".ai_positions\)\) AS last/, 'NULL) AS last'),
  );
  expect(found).not.toEqual({ told: ['said'], tokens: 20 });
});

/** A store that is open, and remembers a session, while a dump takes the place of its tables and others go on. */
async function restoreBeneath(change?: (text: string) => string): Promise<readonly string[]> {
  const schema = schemaName();
  const [open, other] = [
    await openStore(from.url, schema, change),
    await openStore(from.url, schema),
  ];
  const [mine, theirs] = [await servicesOf(open), await servicesOf(other)];
  await mine.manager.create({ userId: 'u', sessionId: 's' });
  await addTurns(mine, 's', 'kept');
  const file = await dump(schema);
  await addTurns(mine, 's', 'lost 1', 'lost 2', 'lost 3');
  await dropSchema(from.url, schema);
  await restore(from, file);
  // As many writes as were lost, but not the same ones.
  for (const n of [1, 2, 3]) {
    const turn = { role: 'user', content: `theirs ${n}` } as const;
    await theirs.manager.addTurns('s', [turn, turn]);
  }
  const cursor = await theirs.events.subscribe().start;
  await addTurns(mine, 's', 'mine');
  const { turns } = await mine.manager.getState('s', { turns: 'all' });
  const told = await tellFrom(theirs, cursor, 'mine');
  const faults = await faultsIn(placeOf(from.url, schema));
  return [...turns.map(({ content }) => String(content)), ...told, ...faults];
}

const theirs = [1, 2, 3].flatMap((n) => [`theirs ${n}`, `theirs ${n}`]);

it('a store that is open while a dump is restored goes on with what the dump has', async () => {
  expect(await restoreBeneath()).toEqual(['kept', ...theirs, 'mine', 'mine']);
});

it('the same check finds what a store does that takes all tables of a name for the same', async () => {
  const done = restoreBeneath((text) => text.replace(/ AND tableoid = \d+/, ''));
  expect(await done.catch(String)).not.toEqual(['kept', ...theirs, 'mine', 'mine']);
});
