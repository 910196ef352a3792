import { createSessions, type SessionConfigInput, type Sessions } from '@lexigram/ai-session';
import { plainTurn, realConversations, withoutIds } from '../conversations.ts';
import type { Figure, Group, MeasureOptions } from '../figure.ts';
import { short } from '../figure.ts';
import { fillConfig } from '../fill/command.ts';
import { fillStore, markId } from '../fill/fill-store.ts';
import { type FillPlan, type PlannedSession, partOf, planFill } from '../fill/plan.ts';
import { Progress } from '../fill/progress.ts';
import { alternate, type Costs, inTurn, median, microseconds, ratioOf } from '../rounds.ts';
import { postgresEngine, redisEngine, type ScaleEngine, sqliteEngine } from '../scale-engines.ts';

const about =
  'calls on a store of 1,000,000 turns in 20,000 sessions ÷ on one with 20 of these sessions alone';

export const scaleSqlite: Group = {
  name: 'scale-sqlite',
  about,
  durability: 'SQLite, WAL, synchronous=NORMAL: the disk hides no cost',
  measure: (options) => measure(() => sqliteEngine(options.directory), options),
};

export const scalePostgres: Group = {
  name: 'scale-postgres',
  about,
  durability: 'PostgreSQL of this machine, fsync and synchronous_commit on',
  measure: (options) => measure(() => postgresEngine(false), options),
};

export const scalePartitions: Group = {
  name: 'scale-partitions',
  about: `${about}; there the turns lie in 16 partitions`,
  durability: 'PostgreSQL of this machine, fsync and synchronous_commit on',
  measure: (options) => measure(() => postgresEngine(true), options),
};

export const scaleRedis: Group = {
  name: 'scale-redis',
  about,
  durability: 'Redis of this machine, appendfsync everysec: a crash may take the last second',
  measure: (options) => measure(redisEngine, options),
};

/** Sessions of the small store. */
const few = 20;
const page = 20;

async function measure(
  start: () => Promise<ScaleEngine>,
  { quick }: MeasureOptions,
): Promise<readonly Figure[]> {
  const conversations = withoutIds(await realConversations(process.env['CONVERSATIONS_DIR']));
  const counts = quick ? { turns: 20_000, sessions: 400 } : { turns: 1_000_000, sessions: 20_000 };
  const plan = planFill({ ...counts, seed: 1, conversations });
  const part = partOf(plan, few, 1_000);
  const engine = await start();
  try {
    const seconds = await fill(engine.large, plan);
    await fill(engine.small, part);
    await engine.settle();
    const figures = [...(await sizeFigures(engine, plan, seconds))];
    for (const [name, call] of Object.entries(calls)) {
      const known = await measureKnown(engine, part, call, quick);
      const unknown = await measureUnknown(engine, plan, part, call, quick);
      figures.push(toFigure(`${name}, ${plan.turns} turns ÷ ${part.turns}`, known));
      figures.push(toFigure(`${name}, ${plan.turns} turns ÷ ${part.turns}, unknown`, unknown));
    }
    return figures;
  } finally {
    await engine.stop();
  }
}

async function open(config: SessionConfigInput): Promise<Sessions> {
  const sessions = await createSessions({ ...fillConfig, ...config });
  // A sweep in the middle would be measured.
  await sessions.cleanup.stop();
  return sessions;
}

/** The seconds that it took. */
async function fill(config: SessionConfigInput, plan: FillPlan): Promise<number> {
  await using sessions = await open(config);
  const progress = new Progress({ target: process.stderr, unit: 'turns', total: plan.turns });
  const time = await microseconds(() => fillStore(sessions, plan, { progress }));
  progress.end();
  return time / 1e6;
}

async function sizeFigures(
  engine: ScaleEngine,
  plan: FillPlan,
  seconds: number,
): Promise<readonly Figure[]> {
  const sizes = Object.entries(await engine.sizes());
  const [[whole, all] = ['', 0], ...parts] = sizes;
  const mib = (bytes: number): string => `${short(bytes / 2 ** 20)} MiB`;
  const told = parts.filter(([, bytes]) => bytes >= all / 500);
  return [
    {
      name: 'filling',
      value: Math.round(plan.turns / seconds),
      unit: 'turns a second',
      detail: `${plan.turns} turns in ${plan.sessions.length} sessions, each a turn and ${short(plan.scale)} × the length of its conversation, in ${short(seconds)} s; 64 sessions at once, 20 turns a call; ${engine.setting}`,
    },
    {
      name: `${whole}, a turn`,
      value: all / plan.turns,
      unit: 'bytes',
      detail: `its JSON has ${short(jsonBytes(plan))}. ${mib(all)}: ${told.map(([name, bytes]) => `${name} ${mib(bytes)}`).join(', ')}`,
    },
  ];
}

interface Measured {
  readonly costs: Costs;
  readonly how: string;
}

/** What the turns of a plan have as JSON, each. */
function jsonBytes(plan: FillPlan): number {
  let sum = 0;
  for (const session of plan.sessions) {
    for (const turn of plan.turnsOf(session, 0, session.turns)) {
      sum += Buffer.byteLength(JSON.stringify(turn));
    }
  }
  return sum / plan.turns;
}

/** The same sessions in both stores, again and again: what the calls touch is warm everywhere. */
async function measureKnown(
  engine: ScaleEngine,
  { sessions }: FillPlan,
  call: Call,
  quick: boolean,
): Promise<Measured> {
  await using large = await open(engine.large);
  await using small = await open(engine.small);
  const rounds = quick ? 3 : 11;
  const operations = quick ? 40 : 200;
  const at = (i: number) => sessions[i % few] as PlannedSession;
  const costs = await alternate(rounds, operations, {
    one: (i) => call(large, at(i)),
    other: (i) => call(small, at(i)),
  });
  return { costs, how: `${rounds} rounds of ${operations} calls on the same ${few} sessions` };
}

/**
 * Sessions that the process has not met: both stores are opened anew, and then each call is on another session. Of
 * the large one it has the same conversation as of the small one, and any place in the store.
 */
async function measureUnknown(
  engine: ScaleEngine,
  plan: FillPlan,
  { sessions }: FillPlan,
  call: Call,
  quick: boolean,
): Promise<Measured> {
  const alike = Map.groupBy(plan.sessions, ({ conversation }) => conversation);
  const rounds = quick ? 5 : 40;
  const costs: Costs = { one: [], other: [] };
  for (let round = 0; round < rounds; round++) {
    const twin = ({ conversation }: PlannedSession): PlannedSession => {
      const all = alike.get(conversation) ?? [];
      return all[round % all.length] as PlannedSession;
    };
    await using large = await open(engine.large);
    await using small = await open(engine.small);
    // Connections are there, and statements are prepared.
    const mark = { sessionId: markId, userId: markId };
    for (const each of [large, small]) for (let i = 0; i < 3; i++) await call(each, mark);
    const { one, other } = await inTurn(few, {
      one: (i) => call(large, twin(sessions[i] as PlannedSession)),
      other: (i) => call(small, sessions[i] as PlannedSession),
    });
    costs.one.push(median(one));
    costs.other.push(median(other));
  }
  return {
    costs,
    how: `${rounds} rounds of ${few} calls, each on a session that the process does not know`,
  };
}

type Call = (
  sessions: Sessions,
  session: Pick<PlannedSession, 'sessionId' | 'userId'>,
) => Promise<number>;

/** Forks come last: a deleted branch leaves a tombstone, which the lists pass over. */
const calls: Readonly<Record<string, Call>> = {
  'list, a user': ({ manager }, { userId }) =>
    microseconds(() => manager.list({ userId, limit: page })),
  'list, all': ({ manager }) => microseconds(() => manager.list({ limit: page })),
  'last-20': ({ manager }, { sessionId }) =>
    microseconds(() => manager.getState(sessionId, { turns: 20 })),
  append: ({ manager }, { sessionId }) => microseconds(() => manager.addTurn(sessionId, turn)),
  fork: async ({ branches, manager }, { sessionId }) => {
    let branch = '';
    const cost = await microseconds(async () => {
      branch = (await branches.fork(sessionId, 'a branch')).sessionId;
    });
    await manager.delete(branch);
    return cost;
  },
};

const turn = plainTurn();

function toFigure(name: string, { costs, how }: Measured): Figure {
  const { high, low, value } = ratioOf(costs.one, costs.other);
  return {
    name,
    value,
    unit: '×',
    goal: { atMost: 1.3 },
    detail: `${short(median(costs.one))} ÷ ${short(median(costs.other))} µs; ${how}, in turn, medians, ${short(low)}–${short(high)}`,
  };
}
