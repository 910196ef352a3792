import { join } from 'node:path';
import { type Sessions, sessionEventTypes, type TurnInput } from '@lexigram/ai-session';
import { BareEngine } from '../bare-engine.ts';
import { plainTurn, realConversations } from '../conversations.ts';
import type { Figure, Group, MeasureOptions } from '../figure.ts';
import { short } from '../figure.ts';
import { interleave, median, microseconds, ratioOf } from '../rounds.ts';
import { newSession, openSessions } from '../sessions.ts';

/** What one caller says in a round: turns, each for one of a row of sessions. */
type Talk = readonly { readonly session: number; readonly turn: TurnInput }[];

/** Turns that one engine adds before it is the other's turn. */
const sliceTurns = 50;

/** One caller adds turns, one after another, each in a transaction of its own. */
export const appendFull: Group = {
  name: 'append-full',
  about:
    'one caller, addTurn without automatic checkpoints ÷ bare engine, means over the whole run',
  durability: 'SQLite, WAL, synchronous=FULL: a turn survives a power cut',
  measure: (options) => measureBoth('full', 1.2, options),
};

export const appendNormal: Group = {
  name: 'append-normal',
  about: 'one caller, addTurn with automatic checkpoints, usage and events ÷ bare engine',
  durability: 'SQLite, WAL, synchronous=NORMAL: a turn survives a crash of the process',
  measure: (options) => measureBoth('normal', 1.4, options),
};

async function measureBoth(
  synchronous: 'full' | 'normal',
  goal: number,
  options: MeasureOptions,
): Promise<readonly Figure[]> {
  const turns = options.quick ? 500 : synchronous === 'full' ? 3_000 : 6_000;
  const real = await realTalk(turns);
  const plain = plainTalk(turns);
  const figures = [
    await measure('real turns', real, synchronous, goal, options),
    await measure('657-byte turns', plain, synchronous, goal, options),
  ];
  if (synchronous === 'full') return figures;
  const listening = await measure('listeners on', real, synchronous, goal, options, listen);
  return [...figures, listening];
}

/** Listeners that do next to nothing: what is measured is that they are told. */
function listen({ events }: Sessions): void {
  for (const type of sessionEventTypes) events.on(type, ({ revision }) => revision);
}

async function measure(
  name: string,
  talk: Talk,
  synchronous: 'full' | 'normal',
  goal: number,
  { directory, quick }: MeasureOptions,
  prepare?: (sessions: Sessions) => void,
): Promise<Figure> {
  const file = name.replaceAll(' ', '-');
  const config = synchronous === 'full' ? { autoCheckpointInterval: null } : {};
  await using sessions = await openSessions(directory, `${file}-own.db`, synchronous, config);
  prepare?.(sessions);
  const bare = new BareEngine(join(directory, `${file}-bare.db`), synchronous);
  const sessionCount = (talk.at(-1)?.session ?? 0) + 1;
  const slices = talk.length / sliceTurns;
  let own: string[] = [];
  let bareIds: number[] = [];

  const costs = await interleave(
    { rounds: quick ? 3 : 9, slices },
    {
      own: {
        begin: async () => {
          own = [];
          for (let i = 0; i < sessionCount; i++) own.push(await newSession(sessions));
        },
        slice: (i) =>
          microseconds(async () => {
            for (const { session, turn } of talk.slice(i * sliceTurns, (i + 1) * sliceTurns)) {
              await sessions.manager.addTurn(own[session] as string, turn);
            }
          }),
      },
      bare: {
        begin: () => {
          bareIds = Array.from({ length: sessionCount }, () => bare.create());
        },
        slice: (i) =>
          microseconds(async () => {
            for (const { session, turn } of talk.slice(i * sliceTurns, (i + 1) * sliceTurns)) {
              bare.addTurn(bareIds[session] as number, turn);
            }
          }),
      },
    },
  );
  bare.close();

  const each = (round: readonly number[]): string => short(median(round) / talk.length);
  const { high, low, value } = ratioOf(costs.own, costs.bare);
  return {
    name: `own ÷ bare, ${name}`,
    value,
    unit: '×',
    goal: { atMost: goal },
    detail: `${each(costs.own)} ÷ ${each(costs.bare)} µs a turn; ${costs.own.length} rounds of ${talk.length} turns, ${sliceTurns} in turn, ${short(low)}–${short(high)}`,
  };
}

/** Real conversations one after another, again and again, until there are as many turns as asked for. */
async function realTalk(count: number): Promise<Talk> {
  const all = await realConversations();
  const talk: { session: number; turn: TurnInput }[] = [];
  for (let session = 0; talk.length < count; session++) {
    const { turns } = all[session % all.length] as (typeof all)[number];
    for (const turn of turns) talk.push({ session, turn });
  }
  return talk.slice(0, count);
}

function plainTalk(count: number): Talk {
  const turn = plainTurn();
  return Array.from({ length: count }, (_, i) => ({ session: Math.floor(i / 500), turn }));
}
