import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Sessions } from '@lexigram/ai-session';
import { plainTurn } from '../conversations.ts';
import type { Figure, Group, MeasureOptions } from '../figure.ts';
import { short } from '../figure.ts';
import { sqliteSaver } from '../peers/langgraph.ts';
import { mastra } from '../peers/mastra.ts';
import { ownSqlite } from '../peers/own.ts';
import { makeTurns } from '../peers/peer.ts';
import { alternate, median, microseconds, ratioOf } from '../rounds.ts';
import { newSession, noCaps, openSessions } from '../sessions.ts';

const config = { ...noCaps, autoCheckpointInterval: null };

/** What brings branches home, on long and on short histories of one file, one of each in turn. */
export const branches: Group = {
  name: 'branches',
  about: 'calls on histories of 100,000 turns ÷ on histories of 100, in one file',
  durability: 'SQLite, WAL, synchronous=NORMAL: the disk hides no cost',
  async measure({ directory, quick }) {
    await using sessions = await openSessions(directory, 'branches.db', 'normal', config);
    const turns = quick ? 10_000 : 100_000;
    const long = await fill(sessions, turns);
    const few = await fill(sessions, 100);
    const rounds = quick ? 3 : 11;
    const operations = quick ? 40 : 100;
    const figures: Figure[] = [];
    for (const [name, call] of Object.entries(calls(sessions))) {
      const { one, other } = await alternate(rounds, operations, {
        one: () => call(long),
        other: () => call(few),
      });
      const { high, low, value } = ratioOf(one, other);
      figures.push({
        name: `${name} at ${turns} ÷ at 100 turns`,
        value,
        unit: '×',
        goal: { atMost: 1.2 },
        detail: `${short(median(one))} ÷ ${short(median(other))} µs; ${rounds} rounds of ${operations} calls in turn, medians, ${short(low)}–${short(high)}`,
      });
    }
    return figures;
  },
};

/** A session, a branch of ten turns at its end, and its last turn, of which there are three. */
interface Subject {
  readonly id: string;
  readonly branchId: string;
  readonly turnId: string;
}

async function fill(sessions: Sessions, turns: number): Promise<Subject> {
  const { branches: forks, manager } = sessions;
  const id = await newSession(sessions);
  const batch = Array.from({ length: 100 }, plainTurn);
  for (let n = 0; n < turns; n += 100) await manager.addTurns(id, batch);
  for (let n = 0; n < 3; n++) {
    if (n > 0) await manager.rewind(id, { toSeq: turns });
    await manager.addTurn(id, plainTurn());
  }
  const { head } = await manager.getState(id);
  const { sessionId: branchId } = await forks.fork(id, 'ten');
  await manager.addTurns(branchId, Array.from({ length: 10 }, plainTurn));
  return { id, branchId, turnId: head.turnId ?? '' };
}

/** Each leaves the session as it was, but for what a move that was taken back leaves behind. */
function calls({
  branches: home,
  manager,
}: Sessions): Readonly<Record<string, (subject: Subject) => Promise<number>>> {
  return {
    'merge of 10 turns': async ({ branchId, id }) => {
      const cost = await microseconds(() => home.merge(id, branchId));
      await manager.undo(id);
      return cost;
    },
    'diff of 10 turns': ({ branchId, id }) => microseconds(() => home.diff(id, branchId)),
    siblings: ({ id, turnId }) => microseconds(() => manager.siblings(id, turnId)),
  };
}

/** A conversation of 1,000 turns taken up a second time, by others and by ours in one run. */
export const forks: Group = {
  name: 'forks',
  about:
    "a conversation taken up a second time: ours, Mastra's cloneThread, a thread of LangGraph copied by its newest checkpoint",
  durability: 'all of them SQLite, WAL, synchronous=NORMAL: a fork survives a crash of the process',
  measure: measureForks,
};

async function measureForks({ directory, quick }: MeasureOptions): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const turns = quick ? 200 : 1_000;
  const rounds = quick ? 3 : 9;
  for (const peer of [mastra, sqliteSaver]) {
    const place = join(directory, peer.name.replaceAll(' ', '-'));
    mkdirSync(place);
    const [ours, theirs] = [await ownSqlite.open(place), await peer.open(place)];
    await ours.begin('c', makeTurns(0, turns));
    await theirs.begin('c', makeTurns(0, turns));
    let made = 0;
    const { one, other } = await alternate(rounds, forksOfRound, {
      one: () => microseconds(async () => theirs.copy?.('c', `copy-${made++}`)),
      other: () => microseconds(async () => ours.copy?.('c', `copy-${made++}`)),
    });
    const { high, low } = ratioOf(one, other);
    figures.push({
      name: `${peer.name} ÷ ours, fork of ${turns} turns`,
      value: median(one) / median(other),
      unit: '×',
      detail: `${short(median(one))} ÷ ${short(median(other))} µs; medians of ${rounds} rounds of ${forksOfRound} calls in turn, ${short(low)}–${short(high)}`,
    });
    await ours.close();
    await theirs.close();
  }
  return figures;
}

const forksOfRound = 10;

/** A history read as a whole, by how many segments it has. */
export const segments: Group = {
  name: 'segments',
  about: 'a history of 1,000 turns read as a whole, by the number of its segments',
  durability: 'SQLite, WAL, synchronous=NORMAL: reading writes nothing',
  measure: measureSegments,
};

async function measureSegments({ directory, quick }: MeasureOptions): Promise<readonly Figure[]> {
  await using sessions = await openSessions(directory, 'segments.db', 'normal', config);
  const { manager } = sessions;
  const turns = 1_000;
  const rounds = quick ? 3 : 11;
  const whole = await ofSegments(sessions, turns, 1);
  const figures: Figure[] = [];
  for (const count of [1, 10, 1_000]) {
    const parts = await ofSegments(sessions, turns, count);
    const read = (id: string) => microseconds(() => manager.getState(id, { turns: 'all' }));
    const { one, other } = await alternate(rounds, 10, {
      one: () => read(parts),
      other: () => read(whole),
    });
    const { high, low, value } = ratioOf(one, other);
    figures.push({
      name: `${count} segments ÷ 1 segment`,
      value,
      unit: '×',
      detail: `${short(median(one))} ÷ ${short(median(other))} µs for ${turns} turns; medians of ${rounds} rounds of 10 reads in turn, ${short(low)}–${short(high)}`,
    });
  }
  return figures;
}

/** A session whose turns stand on so many timelines, as many on each. */
async function ofSegments(sessions: Sessions, turns: number, count: number): Promise<string> {
  const { manager } = sessions;
  const id = await newSession(sessions);
  const each = turns / count;
  for (let segment = 0; segment < count; segment++) {
    if (segment > 0) await manager.rewind(id, { toSeq: segment * each });
    for (let n = 0; n < each; n += 100) {
      await manager.addTurns(id, Array.from({ length: Math.min(100, each - n) }, plainTurn));
    }
  }
  return id;
}
