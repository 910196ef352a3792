import { createSessions, type SessionConfigInput, type Sessions } from '@lexigram/ai-session';
import { PostgresServer } from '@lexigram/ai-session-servers';
import { Pool } from 'pg';
import { BarePostgres } from '../bare-postgres.ts';
import { type BenchConversation, plainTurn, realConversations } from '../conversations.ts';
import type { Figure, Group, MeasureOptions } from '../figure.ts';
import { short } from '../figure.ts';
import type { Peer } from '../peers/peer.ts';
import { adkPostgres, mastraPostgres, ownPostgres, postgresSaver } from '../peers/postgres.ts';
import { interleave, median, microseconds, ratioOf } from '../rounds.ts';
import { newSession, noCaps } from '../sessions.ts';
import { measureLengths } from './length.ts';
import { measurePeer } from './peers.ts';

const durability =
  'PostgreSQL of this machine, fsync and synchronous_commit on: a turn survives a power cut';

/** Turns beside the bare statement: one caller, and sixteen on one session. */
export const postgres: Group = {
  name: 'postgres',
  about: 'addTurn with automatic checkpoints ÷ the bare single statement of the same driver',
  durability,
  measure: (options) =>
    onServer(async (server) => [
      await measureOne(await createDatabase(server), options),
      await measureHot(await createDatabase(server), options),
    ]),
};

/** As `length`, on Postgres. */
export const postgresLength: Group = {
  name: 'postgres-length',
  about: 'calls on sessions of 100,000 turns ÷ on sessions of 10, in one schema',
  durability,
  measure: ({ quick }) =>
    onServer(async (server) => {
      const config = { ...noCaps, autoCheckpointInterval: null };
      await using sessions = await open(await createDatabase(server), config);
      return await measureLengths(sessions, quick);
    }),
};

/** As `bytes`, on Postgres. */
export const postgresBytes: Group = {
  name: 'postgres-bytes',
  about: 'bytes above a bare table (timeline, seq, json) with one unique index, with all indexes',
  durability: 'PostgreSQL without fsync: files as they are, one call a turn',
  measure: ({ quick }) =>
    onServer(async (server) => {
      const all = await realConversations(process.env['CONVERSATIONS_DIR']);
      const figures: Figure[] = [];
      for (const file of new Set(all.map((conversation) => conversation.file))) {
        const own = all.filter((conversation) => conversation.file === file);
        figures.push(await measureBytes(await createDatabase(server), file, own, quick));
      }
      return figures;
    }, unsafe),
};

/** For what is not timed. */
const unsafe = { fsync: 'off', synchronous_commit: 'off' } as const;

/** Other libraries that keep conversations in Postgres, beside ours. */
export const peersPostgres: Group = {
  name: 'peers-postgres',
  about: 'a turn added, and the last 20 read, by others ÷ by ours',
  durability,
  measure: ({ quick }) =>
    onServer(async (server) => {
      const figures: Figure[] = [];
      const peers: readonly (readonly [Peer, atLeast: number])[] = [
        [postgresSaver, 300],
        [mastraPostgres, 2.5],
        [adkPostgres, 12],
      ];
      const length = quick ? 200 : 1_000;
      for (const [peer, atLeast] of peers) {
        const places = [await createDatabase(server), await createDatabase(server)] as const;
        for (const figure of await measurePeer(ownPostgres, peer, length, places, quick)) {
          const hasGoal = !quick && figure.name.includes('a turn at');
          figures.push(hasGoal ? { ...figure, goal: { atLeast } } : figure);
        }
      }
      return figures;
    }),
};

async function onServer<T>(
  work: (server: PostgresServer) => Promise<T>,
  settings: Readonly<Record<string, string>> = {},
): Promise<T> {
  const server = await PostgresServer.start({
    settings: { shared_buffers: '256MB', ...settings },
  });
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

let databases = 0;

/** The URL of an empty database. */
async function createDatabase({ url }: PostgresServer): Promise<string> {
  databases += 1;
  const name = `bench_${databases}`;
  const pool = new Pool({ connectionString: url, max: 1 });
  await pool.query(`CREATE DATABASE ${name}`);
  await pool.end();
  return new URL(`/${name}`, url).href;
}

function open(url: string, config: SessionConfigInput = {}): Promise<Sessions> {
  return createSessions({ ...noCaps, backend: 'database', database: { url }, ...config });
}

async function measureOne(url: string, { quick }: MeasureOptions): Promise<Figure> {
  await using sessions = await open(url, { maxCheckpointsPerSession: 50 });
  const bare = await BarePostgres.open(url, 1);
  const turn = plainTurn();
  const [slices, each] = [quick ? 4 : 20, 25];
  let own = '';
  let id = 0;
  const costs = await interleave(
    { rounds: quick ? 3 : 11, slices },
    {
      own: {
        begin: async () => {
          own = await newSession(sessions);
        },
        slice: () =>
          microseconds(async () => {
            for (let n = 0; n < each; n++) await sessions.manager.addTurn(own, turn);
          }),
      },
      bare: {
        begin: async () => {
          id += 1;
          await bare.create(id);
        },
        slice: () =>
          microseconds(async () => {
            for (let n = 0; n < each; n++) await bare.addTurn(id, turn);
          }),
      },
    },
  );
  await bare.pool.end();
  const { high, low, value } = ratioOf(costs.own, costs.bare);
  const a = (round: readonly number[]): string => short(median(round) / (slices * each));
  return {
    name: 'own ÷ bare, one caller',
    value,
    unit: '×',
    goal: { atMost: 1.3 },
    detail: `${a(costs.own)} ÷ ${a(costs.bare)} µs a turn; ${costs.own.length} rounds of ${slices * each} turns, ${each} in turn, ${short(low)}–${short(high)}`,
  };
}

const callers = 16;

async function measureHot(url: string, { quick }: MeasureOptions): Promise<Figure> {
  await using sessions = await open(url, { maxCheckpointsPerSession: 50 });
  const bare = await BarePostgres.open(url, callers);
  await bare.create(1);
  const turn = plainTurn();
  const own = await newSession(sessions);
  const [slices, ownEach, bareEach] = [quick ? 4 : 10, 20, 4];
  const atOnce = (each: number, add: () => Promise<unknown>): Promise<number> =>
    microseconds(() =>
      Promise.all(
        Array.from({ length: callers }, async () => {
          for (let n = 0; n < each; n++) await add();
        }),
      ),
    );
  const costs = await interleave(
    { rounds: quick ? 3 : 9, slices },
    {
      own: { slice: () => atOnce(ownEach, () => sessions.manager.addTurn(own, turn)) },
      bare: { slice: () => atOnce(bareEach, () => bare.addTurn(1, turn)) },
    },
  );
  await bare.pool.end();
  const perTurn = (round: readonly number[], each: number): number[] =>
    round.map((cost) => cost / (slices * each * callers));
  const [ours, theirs] = [perTurn(costs.own, ownEach), perTurn(costs.bare, bareEach)];
  const { high, low, value } = ratioOf(theirs, ours);
  const rate = (each: readonly number[]): string => short(Math.round(1e6 / median(each)));
  return {
    name: `throughput of one session, ${callers} callers, own ÷ bare`,
    value,
    unit: '×',
    goal: { atLeast: 6 },
    detail: `${rate(ours)} ÷ ${rate(theirs)} turns a second; ${ours.length} rounds, ${short(low)}–${short(high)}`,
  };
}

async function measureBytes(
  url: string,
  file: string,
  conversations: readonly BenchConversation[],
  quick: boolean,
): Promise<Figure> {
  await using sessions = await open(url, { autoCheckpointInterval: null });
  const bare = await BarePostgres.open(url, 4);
  const once = conversations.reduce((sum, { turns }) => sum + turns.length, 0);
  const times = Math.ceil((quick ? 1_000 : 10_000) / once);
  let id = 0;
  for (const { turns } of Array.from({ length: times }, () => conversations).flat()) {
    id += 1;
    const timeline = id;
    const own = await newSession(sessions);
    await bare.create(timeline);
    // Many sessions at once, as they come in life, would only shuffle the rows.
    for (const turn of turns) {
      await Promise.all([sessions.manager.addTurn(own, turn), bare.addTurn(timeline, turn)]);
    }
  }
  const sizeOf = async (table: string): Promise<number> => {
    const { rows } = await bare.pool.query(`SELECT pg_total_relation_size('${table}') AS size`);
    return Number(rows[0]?.size) / (once * times);
  };
  const [ours, theirs] = [await sizeOf('ai_turns'), await sizeOf('turns')];
  await bare.pool.end();
  return {
    name: `a turn of ${file}`,
    value: ours - theirs,
    unit: 'bytes',
    goal: { atMost: 110 },
    detail: `${short(ours)} − ${short(theirs)}; ${once * times} turns (the file ${times} ×)`,
  };
}
