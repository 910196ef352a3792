import { createSessions, type SessionConfigInput, type Sessions } from '@lexigram/ai-session';
import { RedisServer } from '@lexigram/ai-session-servers';
import { BareRedis } from '../bare-redis.ts';
import { type BenchConversation, plainTurn, realConversations } from '../conversations.ts';
import type { Figure, Group, MeasureOptions } from '../figure.ts';
import { short } from '../figure.ts';
import { interleave, median, microseconds, ratioOf } from '../rounds.ts';
import { newSession, noCaps } from '../sessions.ts';
import { measureLengths } from './length.ts';

const durability = 'Redis of this machine, appendfsync everysec: a crash may take the last second';
const everysec = { appendonly: 'yes', appendfsync: 'everysec' } as const;

/** Turns beside the bare script, for the caller and for the server. */
export const redisAppend: Group = {
  name: 'redis-append',
  about:
    'addTurn with automatic checkpoints ÷ a script that appends to a list and counts in a hash',
  durability,
  measure: (options) => onServer(everysec, (url) => measureOne(url, options)),
};

/** As `length`, on Redis. */
export const redisLength: Group = {
  name: 'redis-length',
  about: 'calls on sessions of 100,000 turns ÷ on sessions of 10, in one server',
  durability,
  measure: ({ quick }) =>
    onServer(everysec, async (url) => {
      await using sessions = await open(url, { autoCheckpointInterval: null });
      return await measureLengths(sessions, quick);
    }),
};

/** What a turn takes of the server's memory, with all that is kept beside it. */
export const redisBytes: Group = {
  name: 'redis-bytes',
  about: 'memory of the server a turn ÷ the bytes of its JSON',
  durability: 'Redis without persistence: used_memory before and after',
  measure: async ({ quick }) => {
    const all = await realConversations(process.env['CONVERSATIONS_DIR']);
    const figures: Figure[] = [];
    for (const file of new Set(all.map((conversation) => conversation.file))) {
      const own = all.filter((conversation) => conversation.file === file);
      figures.push(await onServer({}, (url) => measureBytes(url, file, own, quick)));
    }
    return figures;
  },
};

async function onServer<T>(
  settings: Readonly<Record<string, string>>,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const server = await RedisServer.start({ settings });
  try {
    return await work(server.url);
  } finally {
    await server.stop();
  }
}

function open(url: string, config: SessionConfigInput = {}): Promise<Sessions> {
  return createSessions({ ...noCaps, backend: 'cache', cache: { url }, ...config });
}

async function measureOne(url: string, { quick }: MeasureOptions): Promise<readonly Figure[]> {
  await using sessions = await open(url, { maxCheckpointsPerSession: 50 });
  const bare = await BareRedis.open(url);
  const turn = plainTurn();
  const [slices, each] = [quick ? 4 : 20, 25];
  let own = '';
  let id = 0;
  const addOwn = () => sessions.manager.addTurn(own, turn);
  const addBare = () => bare.addTurn(`${id}`, turn);
  const slice = (add: () => Promise<unknown>) => () =>
    microseconds(async () => {
      for (let n = 0; n < each; n++) await add();
    });
  const begin = async (): Promise<void> => {
    own = await newSession(sessions);
    id += 1;
  };
  const costs = await interleave(
    { rounds: quick ? 3 : 11, slices },
    { own: { begin, slice: slice(addOwn) }, bare: { slice: slice(addBare) } },
  );
  const { high, low, value } = ratioOf(costs.own, costs.bare);
  const a = (round: readonly number[]): string => short(median(round) / (slices * each));

  // The server's own count of what its scripts took, the commands in them included.
  const served = async (add: () => Promise<unknown>): Promise<number> => {
    const count = quick ? 200 : 2_000;
    await bare.client.configResetStat();
    for (let n = 0; n < count; n++) await add();
    const told = await bare.client.info('commandstats');
    const [, usec = ''] = /cmdstat_evalsha:calls=\d+,usec=(\d+)/.exec(told) ?? [];
    return Number(usec) / count;
  };
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < (quick ? 2 : 7); round++) {
    await begin();
    ours.push(await served(addOwn));
    theirs.push(await served(addBare));
  }
  await bare.client.close();
  return [
    {
      name: 'own ÷ bare, one caller',
      value,
      unit: '×',
      goal: { atMost: 1.6 },
      detail: `${a(costs.own)} ÷ ${a(costs.bare)} µs a turn; ${costs.own.length} rounds of ${slices * each} turns, ${each} in turn, ${short(low)}–${short(high)}`,
    },
    {
      name: 'the server’s time, own − bare',
      value: median(ours) - median(theirs),
      unit: 'µs',
      goal: { atMost: 25 },
      detail: `${short(median(ours))} − ${short(median(theirs))} µs a turn, as INFO commandstats tells; medians of ${ours.length} rounds`,
    },
  ];
}

async function measureBytes(
  url: string,
  file: string,
  conversations: readonly BenchConversation[],
  quick: boolean,
): Promise<Figure> {
  await using sessions = await open(url, { autoCheckpointInterval: null });
  const bare = await BareRedis.open(url);
  const usedMemory = async (): Promise<number> => {
    const told = await bare.client.info('memory');
    return Number(/used_memory:(\d+)/.exec(told)?.[1]);
  };
  // Its scripts are there before it is weighed.
  await sessions.manager.addTurn(await newSession(sessions), plainTurn());
  const once = conversations.reduce((sum, { turns }) => sum + turns.length, 0);
  const times = Math.ceil((quick ? 1_000 : 10_000) / once);
  const before = await usedMemory();
  let bytes = 0;
  for (const { turns } of Array.from({ length: times }, () => conversations).flat()) {
    const own = await newSession(sessions);
    for (const turn of turns) {
      bytes += Buffer.byteLength(JSON.stringify(turn));
      await sessions.manager.addTurn(own, turn);
    }
  }
  const used = (await usedMemory()) - before;
  await bare.client.close();
  const count = once * times;
  return {
    name: `memory of a turn of ${file} ÷ its JSON`,
    value: used / bytes,
    unit: '×',
    ...(file.startsWith('tool_agents') ? { goal: { atMost: 1.6 } } : {}),
    detail: `${short(used / count)} ÷ ${short(bytes / count)} bytes; ${count} turns (the file ${times} ×)`,
  };
}
