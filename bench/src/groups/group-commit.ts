import { join } from 'node:path';
import { BareEngine } from '../bare-engine.ts';
import { turnSource } from '../conversations.ts';
import { countSyncs } from '../count-syncs.ts';
import type { Figure, Group, MeasureOptions } from '../figure.ts';
import { short } from '../figure.ts';
import { interleave, median, microseconds, ratioOf } from '../rounds.ts';
import { newSession, noCaps, openSessions } from '../sessions.ts';

/** Many callers at once, each with a session of its own: their turns share commits. */
export const groupCommit: Group = {
  name: 'group-commit',
  about: '16 and 64 callers on as many sessions; throughput ÷ bare engine with one commit a turn',
  durability: 'SQLite, WAL, synchronous=FULL: a turn survives a power cut',
  async measure(options) {
    return [
      await measureThroughput(16, 4, options),
      await measureThroughput(64, 5.5, options),
      await measureSyncs(options),
    ];
  },
};

async function measureThroughput(
  callers: number,
  goal: number,
  { directory, quick }: MeasureOptions,
): Promise<Figure> {
  await using sessions = await openSessions(directory, `${callers}-own.db`, 'full', noCaps);
  const bare = new BareEngine(join(directory, `${callers}-bare.db`), 'full');
  const nextTurn = await turnSource();
  const bareTurn = await turnSource();
  const slices = quick ? 5 : 30;
  const ownTurns = Math.ceil(400 / callers) * callers;
  const bareTurns = 100;
  let own: string[] = [];
  let bareIds: number[] = [];

  const costs = await interleave(
    { rounds: quick ? 3 : 9, slices },
    {
      own: {
        begin: async () => {
          own = [];
          for (let i = 0; i < callers; i++) own.push(await newSession(sessions));
        },
        slice: () =>
          microseconds(() =>
            Promise.all(
              own.map(async (id) => {
                for (let n = 0; n < ownTurns / callers; n++) {
                  await sessions.manager.addTurn(id, nextTurn());
                }
              }),
            ),
          ),
      },
      bare: {
        begin: () => {
          bareIds = Array.from({ length: callers }, () => bare.create());
        },
        slice: () =>
          microseconds(async () => {
            for (let n = 0; n < bareTurns; n++) {
              bare.addTurn(bareIds[n % callers] as number, bareTurn());
            }
          }),
      },
    },
  );
  bare.close();

  const ownEach = costs.own.map((cost) => cost / (ownTurns * slices));
  const bareEach = costs.bare.map((cost) => cost / (bareTurns * slices));
  const { high, low, value } = ratioOf(bareEach, ownEach);
  const perSecond = (values: readonly number[]): string => short(Math.round(1e6 / median(values)));
  return {
    name: `throughput, ${callers} callers`,
    value,
    unit: '×',
    goal: { atLeast: goal },
    detail: `${perSecond(ownEach)} ÷ ${perSecond(bareEach)} turns/s; ${costs.own.length} rounds of ${ownTurns * slices} and ${bareTurns * slices} turns, ${short(low)}–${short(high)}`,
  };
}

async function measureSyncs({ directory, quick }: MeasureOptions): Promise<Figure> {
  const callers = 64;
  const turns = callers * (quick ? 20 : 100);
  const syncs = await countSyncs('children/add-turns.ts', [
    join(directory, 'syncs.db'),
    String(callers),
    String(turns),
  ]);
  return {
    name: `turns for one fsync, ${callers} callers`,
    value: turns / syncs,
    unit: 'turns',
    goal: { atLeast: 12 },
    detail: `${turns} turns, ${syncs} fsync and fdatasync of a process from its start to its end (strace -f -c)`,
  };
}
