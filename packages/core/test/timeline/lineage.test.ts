import { deepStrictEqual } from 'node:assert';
import { describe, expect, it } from 'vitest';
import type { Segment, TimelineRow } from '../../src/store/rows.ts';
import { type LoadTimelines, openTimeline, segmentsBetween } from '../../src/timeline/lineage.ts';
import { countOf, seeded } from '../scale.ts';

/** Entries of one level that a row holds at the most, and that a chunk of the level above takes at the least. */
const mostEntries = 63;
const leastSealed = 32;

/** A timeline, and beside it its history told naively: which timeline holds each of its turns. */
interface Told {
  readonly row: TimelineRow;
  readonly holders: string[];
}

class Tree {
  readonly told: Told[] = [];
  readonly #rows = new Map<string, TimelineRow>();
  loads = 0;

  constructor() {
    const root = 's.1';
    this.#add({ timelineId: root, base: null, lineage: [], chunks: {}, root, previous: null }, []);
  }

  readonly load: LoadTimelines = async (ids) => {
    this.loads += 1;
    return ids.map((id) => this.#rows.get(id) ?? null);
  };

  #add(row: TimelineRow, holders: string[]): Told {
    const told = { row, holders };
    this.#rows.set(row.timelineId, row);
    this.told.push(told);
    return told;
  }

  /** Opens a timeline at a point of a history and writes turns there. */
  async move(from: Told, seq: number, turns: number): Promise<Told> {
    const id = `s.${this.told.length + 1}`;
    const holder = seq === 0 ? from.row.root : (from.holders[seq - 1] as string);
    const base = {
      timelineId: holder,
      seq,
      turnId: seq === 0 ? null : `${holder}#${seq}`,
      tokens: 0,
      cost: 0,
      variables: null,
    };
    const row = await openTimeline(this.load, id, from.row, base);
    const told = this.#add({ ...row, previous: from.row.timelineId }, from.holders.slice(0, seq));
    this.write(told, turns);
    return told;
  }

  write({ holders, row }: Told, turns: number): void {
    for (let n = 0; n < turns; n++) holders.push(row.timelineId);
  }
}

/** The segments of a history, by looking at each turn. */
function naive(holders: readonly string[], from: number, to: number): readonly Segment[] {
  const segments: { timelineId: string; from: number; to: number }[] = [];
  for (let seq = Math.max(1, from); seq <= to; seq++) {
    const timelineId = holders[seq - 1] as string;
    const last = segments.at(-1);
    if (last?.timelineId === timelineId) last.to = seq;
    else segments.push({ timelineId, from: seq, to: seq });
  }
  return segments;
}

function checkRow({ row }: Told): void {
  const levels = row.lineage.map(({ level }) => level);
  deepStrictEqual(
    levels,
    levels.toSorted((a, b) => b - a),
    'higher levels come first',
  );
  for (const group of Map.groupBy(levels, (level) => level).values()) {
    expect(group.length).toBeLessThanOrEqual(mostEntries);
  }
  for (const chunk of Object.values(row.chunks)) {
    expect(chunk.length).toBeGreaterThanOrEqual(leastSealed);
    expect(chunk.length).toBeLessThanOrEqual(mostEntries + 1);
  }
  const froms = row.lineage.map(({ from }) => from);
  expect(new Set(froms).size).toBe(froms.length);
}

async function checkRanges(
  tree: Tree,
  told: Told,
  next: () => number,
  ranges: number,
): Promise<void> {
  const length = told.holders.length;
  const pick = (): number => 1 + Math.floor(next() * length);
  for (let n = 0; n < ranges && length > 0; n++) {
    const [a, b] = n === 0 ? [1, length] : [pick(), pick()];
    const [from, to] = [Math.min(a, b), Math.max(a, b)];
    deepStrictEqual(
      await segmentsBetween(tree.load, told.row, from, to),
      naive(told.holders, from, to),
    );
  }
}

describe('lineage', () => {
  it('tells the same as a naive list, in random trees of moves', async () => {
    for (let seed = 1; seed <= countOf(40, 4); seed++) {
      const next = seeded(seed);
      const tree = new Tree();
      tree.write(tree.told[0] as Told, Math.floor(next() * 5));
      let current = tree.told[0] as Told;
      for (let n = 0; n < 600; n++) {
        // Mostly on from where the session stands, now and then from anywhere.
        const anywhere = next() < 0.1;
        const from = anywhere
          ? (tree.told[Math.floor(next() * tree.told.length)] as Told)
          : current;
        const back =
          next() < 0.7 ? Math.floor(next() * 3) : Math.floor(next() * (from.holders.length + 1));
        const seq = Math.max(0, from.holders.length - back);
        const turns = Math.floor(next() * 4);
        current = await tree.move(from, seq, turns);
        checkRow(current);
        if (n % 10 === 0) await checkRanges(tree, current, next, 3);
      }
      for (const told of tree.told.slice(-20)) await checkRanges(tree, told, next, 10);
    }
  });

  it('keeps a history of thousands of segments in short rows', async () => {
    const moves = countOf(20_000, 4_500);
    const next = seeded(99);
    const tree = new Tree();
    let current = tree.told[0] as Told;
    tree.write(current, 1);
    for (let n = 1; n < moves; n++) {
      const before = tree.loads;
      const { holders } = current;
      current = await tree.move(current, holders.length, 1);
      // Only the newest history is looked at: the others need not be told any more.
      holders.length = 0;
      expect(tree.loads - before).toBe(0);
      checkRow(current);
    }
    const levels = Math.ceil(Math.log(moves) / Math.log(leastSealed));
    expect(current.row.lineage.length).toBeLessThanOrEqual(mostEntries * levels);
    expect(naive(current.holders, 1, moves)).toHaveLength(moves);
    await checkRanges(tree, current, next, 20);
    for (let n = 0; n < 50; n++) {
      const seq = 1 + Math.floor(next() * moves);
      const before = tree.loads;
      await segmentsBetween(tree.load, current.row, seq, seq);
      expect(tree.loads - before).toBeLessThanOrEqual(levels);
    }
  });

  it('goes back anywhere in such a history', async () => {
    const moves = countOf(5_000, 1_000);
    const next = seeded(5);
    const tree = new Tree();
    let deep = tree.told[0] as Told;
    tree.write(deep, 1);
    for (let n = 1; n < moves; n++) deep = await tree.move(deep, deep.holders.length, 1);
    const edges = [0, 1, 63, 64, 65, 127, 128, 129, moves - 1, moves];
    const seqs = [...edges, ...Array.from({ length: 60 }, () => Math.floor(next() * moves))];
    for (const seq of seqs) {
      const back = await tree.move(deep, seq, 2);
      checkRow(back);
      await checkRanges(tree, back, next, 4);
      const again = await tree.move(back, Math.max(0, seq - 1), 1);
      checkRow(again);
      await checkRanges(tree, again, next, 4);
    }
  });

  it('drops segments without turns', async () => {
    const tree = new Tree();
    let current = tree.told[0] as Told;
    tree.write(current, 3);
    for (let n = 0; n < 200; n++) current = await tree.move(current, 3, 0);
    deepStrictEqual(current.row.lineage, [{ from: 1, timelineId: 's.1', level: 0 }]);
    current = await tree.move(current, 0, 0);
    deepStrictEqual(current.row.lineage, []);
    deepStrictEqual(await segmentsBetween(tree.load, current.row, 1, 0), []);
  });
});
