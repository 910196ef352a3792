import type { Sessions } from '@lexigram/ai-session';
import { plainTurn } from '../conversations.ts';
import type { Figure, Group, MeasureOptions } from '../figure.ts';
import { short } from '../figure.ts';
import { alternate, median, microseconds, ratioOf } from '../rounds.ts';
import { newSession, noCaps, openSessions } from '../sessions.ts';

/** The same calls on sessions that moved often and on sessions of the same length that never moved. */
export const lineage: Group = {
  name: 'lineage',
  about: 'calls on a history of many segments ÷ on one of the same length without moves',
  durability: 'SQLite, WAL, synchronous=NORMAL: the disk hides no cost',
  measure,
};

/** What follows each move, and what follows all of them. */
interface Shape {
  readonly name: string;
  readonly turnsOfMove: number;
  readonly turnsAtEnd: number;
}

const shapes: readonly Shape[] = [
  { name: 'a turn after each', turnsOfMove: 1, turnsAtEnd: 0 },
  { name: '30 turns after all', turnsOfMove: 1, turnsAtEnd: 30 },
];
const turnsBefore = 30;
const last = 20;

async function measure({ directory, quick }: MeasureOptions): Promise<readonly Figure[]> {
  await using sessions = await openSessions(directory, 'lineage.db', 'normal', noCaps);
  const { manager } = sessions;
  const turn = plainTurn();
  const rounds = quick ? 3 : 11;
  const operations = quick ? 40 : 200;
  const figures: Figure[] = [];
  for (const shape of shapes) {
    for (const moves of quick ? [1, 64] : [1, 10, 64, 1_000]) {
      const moved = await fill(sessions, moves, shape);
      const straight = await fillStraight(sessions, moves, shape);
      const read = (id: string) => microseconds(() => manager.getState(id, { turns: last }));
      // Appends come last: what they add would stand between the reader and the segments.
      const append = (id: string) => microseconds(() => manager.addTurn(id, turn));
      for (const [name, call] of Object.entries({ [`last-${last}`]: read, append })) {
        const costs = await alternate(rounds, operations, {
          one: () => call(moved),
          other: () => call(straight),
        });
        const { high, low, value } = ratioOf(costs.one, costs.other);
        figures.push({
          name: `${name}, ${moves} moves, ${shape.name}`,
          value,
          unit: '×',
          goal: { atMost: 1.3 },
          detail: `${short(median(costs.one))} ÷ ${short(median(costs.other))} µs; ${costs.one.length} rounds of ${operations} calls in turn, medians, ${short(low)}–${short(high)}`,
        });
      }
    }
  }
  return figures;
}

async function fill(
  sessions: Sessions,
  moves: number,
  { turnsAtEnd, turnsOfMove }: Shape,
): Promise<string> {
  const { manager } = sessions;
  const id = await newSession(sessions);
  let seq = turnsBefore;
  await addTurns(sessions, id, turnsBefore);
  for (let i = 0; i < moves; i++) {
    await manager.rewind(id, { toSeq: seq });
    await addTurns(sessions, id, turnsOfMove);
    seq += turnsOfMove;
  }
  await addTurns(sessions, id, turnsAtEnd);
  return id;
}

/** A history of the same length on one timeline. */
async function fillStraight(sessions: Sessions, moves: number, shape: Shape): Promise<string> {
  const id = await newSession(sessions);
  await addTurns(sessions, id, turnsBefore + moves * shape.turnsOfMove + shape.turnsAtEnd);
  return id;
}

async function addTurns({ manager }: Sessions, id: string, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 100) {
    await manager.addTurns(id, Array.from({ length: Math.min(100, left) }, plainTurn));
  }
}
