import type { Sessions } from '@lexigram/ai-session';
import { plainTurn } from '../conversations.ts';
import type { Figure, Group, MeasureOptions } from '../figure.ts';
import { short } from '../figure.ts';
import { alternate, median, microseconds, ratioOf } from '../rounds.ts';
import { newSession, noCaps, openSessions } from '../sessions.ts';

/** The same calls on long and on short sessions of one file, one of each in turn. */
export const length: Group = {
  name: 'length',
  about: 'calls on sessions of 100,000 turns ÷ on sessions of 10, in one file',
  durability: 'SQLite, WAL, synchronous=NORMAL: the disk hides no cost',
  measure,
};

/** A session and a checkpoint in its middle. */
interface Subject {
  readonly id: string;
  readonly middle: string;
}

const sides = 4;

async function measure({ directory, quick }: MeasureOptions): Promise<readonly Figure[]> {
  // Checkpoints by hand alone: how many there are is another matter than how long the session is.
  const config = { ...noCaps, autoCheckpointInterval: null };
  await using sessions = await openSessions(directory, 'length.db', 'normal', config);
  return await measureLengths(sessions, quick);
}

/** The figures of any store. */
export async function measureLengths(
  sessions: Sessions,
  quick: boolean,
): Promise<readonly Figure[]> {
  const turns = quick ? 10_000 : 100_000;
  const long: Subject[] = [];
  for (let i = 0; i < sides; i++) long.push(await fill(sessions, turns));

  const rounds = quick ? 3 : 11;
  const operations = quick ? 40 : 200;
  const figures: Figure[] = [];
  for (const [name, call] of Object.entries(calls(sessions))) {
    // Short sessions grow with each append, so each call gets new ones.
    let short: Subject[] = [];
    const costs = await alternate(rounds, operations, {
      one: (i) => call(long[i % sides] as Subject),
      other: async (i) => {
        if (i % (sides * 5) === 0) short = await fillAll(sessions, 10);
        return call(short[i % sides] as Subject);
      },
    });
    figures.push(toFigure(name, turns, costs, operations));
  }
  return figures;
}

type Call = (subject: Subject) => Promise<number>;

/** Each leaves the session as it was, but for the appended turn and the records of its moves. */
function calls({ branches, checkpoints, manager }: Sessions): Record<string, Call> {
  const turn = plainTurn();
  return {
    append: ({ id }) => microseconds(() => manager.addTurn(id, turn)),
    checkpoint: async ({ id }) => {
      let made = '';
      const cost = await microseconds(async () => {
        made = (await checkpoints.create(id)).checkpointId;
      });
      await checkpoints.delete(made);
      return cost;
    },
    fork: async ({ id }) => {
      let branch = '';
      const cost = await microseconds(async () => {
        branch = (await branches.fork(id, 'a branch')).sessionId;
      });
      await manager.delete(branch);
      return cost;
    },
    restore: async ({ id, middle }) => {
      const cost = await microseconds(() => checkpoints.restore(middle));
      await manager.undo(id);
      return cost;
    },
    undo: async ({ id, middle }) => {
      await checkpoints.restore(middle);
      return microseconds(() => manager.undo(id));
    },
  };
}

async function fill(sessions: Sessions, turns: number): Promise<Subject> {
  const id = await newSession(sessions);
  const { checkpoints, manager } = sessions;
  const size = Math.min(100, turns / 2);
  const batch = Array.from({ length: size }, plainTurn);
  let middle = '';
  for (let n = 0; n < turns; n += size) {
    if (n === turns / 2) middle = (await checkpoints.create(id)).checkpointId;
    await manager.addTurns(id, batch);
  }
  return { id, middle };
}

async function fillAll(sessions: Sessions, turns: number): Promise<Subject[]> {
  const subjects: Subject[] = [];
  for (let i = 0; i < sides; i++) subjects.push(await fill(sessions, turns));
  return subjects;
}

function toFigure(
  name: string,
  turns: number,
  costs: { readonly one: readonly number[]; readonly other: readonly number[] },
  operations: number,
): Figure {
  const { high, low, value } = ratioOf(costs.one, costs.other);
  return {
    name: `${name} at ${turns} ÷ at 10 turns`,
    value,
    unit: '×',
    goal: { atMost: 1.2 },
    detail: `${short(median(costs.one))} ÷ ${short(median(costs.other))} µs; ${costs.one.length} rounds of ${operations} calls in turn, medians, ${short(low)}–${short(high)}`,
  };
}
