import { isPlainObject } from '../session/json.ts';
import { limits } from '../session/limits.ts';
import { readStored } from '../session/read-stored.ts';
import type { TurnRange } from '../session/turn.ts';
import type { MergedPoint, Segment, TimelineRow, TurnRow } from '../store/rows.ts';
import { type History, holds } from './history.ts';

/** A turn of a history, and what it adds to the sums. */
export interface SpentTurn {
  readonly row: TurnRow;
  readonly tokens: number;
  readonly cost: number;
}

/** A merge of which a history tells, and the seq at which what it brought ends. */
export interface MergeNote {
  readonly merged: MergedPoint;
  readonly timeline: TimelineRow;
  readonly end: number;
}

/** What one history has after the last turn that it shares with another one. */
export class Tail {
  readonly history: History;
  /** The last seq that both have. */
  readonly common: number;
  readonly segments: readonly Segment[];
  /** The merges whose turns, all of them, stand here; oldest first. */
  readonly notes: readonly MergeNote[];
  /** The timelines that hold the tail, the current one last. */
  readonly timelines: readonly TimelineRow[];

  private constructor(
    history: History,
    common: number,
    segments: readonly Segment[],
    timelines: readonly TimelineRow[],
  ) {
    this.history = history;
    this.common = common;
    this.segments = segments;
    this.timelines = timelines;
    this.notes = timelines.flatMap((timeline) => this.#notesOf(timeline));
  }

  static async open(history: History, common: number): Promise<Tail> {
    const segments = await history.segments(common + 1, history.length);
    const current = history.timeline.timelineId;
    const ids = segments.map(({ timelineId }) => timelineId).filter((id) => id !== current);
    const rows: TimelineRow[] = [];
    for (let at = 0; at < ids.length; at += limits.page) {
      const page = await history.load(ids.slice(at, at + limits.page));
      rows.push(...page.filter((row) => row !== null));
    }
    return new Tail(history, common, segments, [...rows, history.timeline]);
  }

  get length(): number {
    return this.history.length - this.common;
  }

  #notesOf(timeline: TimelineRow): readonly MergeNote[] {
    const start = timeline.base?.seq ?? 0;
    const segment = this.segments.find(({ timelineId }) => timelineId === timeline.timelineId);
    const last = segment?.to ?? start;
    return (timeline.merged ?? []).flatMap((merged) => {
      const end = start + merged.turns;
      const here = end > this.common || start === this.common;
      return here && end <= last ? [{ merged, timeline, end }] : [];
    });
  }

  /** The turns from seq `from` on, page by page. */
  async *turns(from: number = this.common + 1): AsyncGenerator<SpentTurn, void, undefined> {
    yield* spentTurns(this.history, from, this.history.length);
  }

  /** Whether a merge has to do with what stands here, so that a turn may be another one's copy. */
  get isMerged(): boolean {
    return this.timelines.some(({ merged }) => merged?.some(({ turns }) => turns > 0) === true);
  }

  /** Tells of turns of another history whether they are here: themselves, as copies, or as what another stands for. */
  async shows(): Promise<(turn: TurnRow) => boolean> {
    const copied = new Set<string>();
    const ranges: TurnRange[] = [];
    for (const { base, merged, timelineId } of this.timelines) {
      const start = base?.seq ?? 0;
      const segment = this.segments.find((one) => one.timelineId === timelineId);
      for (const { standing, turns } of merged ?? []) {
        const from = Math.max(start + 1, this.common + 1);
        const to = Math.min(start + turns, segment?.to ?? 0);
        if (to < from) continue;
        const isStanding = new Set(standing.map((n) => start + n));
        for await (const { row } of spentTurns(this.history, from, to)) {
          if (row.origin !== null) copied.add(originKey(row));
          else if (isStanding.has(row.seq)) ranges.push(...originsOf(row));
        }
      }
    }
    return (turn) => {
      const { seq, timelineId } = turn.origin ?? turn;
      return (
        copied.has(originKey(turn)) ||
        (turn.origin !== null && holds(this.segments, turn.origin)) ||
        ranges.some(
          (range) => range.timelineId === timelineId && range.from <= seq && seq <= range.to,
        )
      );
    };
  }
}

/** Turns of a history and what each adds to the sums, page by page. */
export async function* spentTurns(
  history: History,
  from: number,
  to: number,
): AsyncGenerator<SpentTurn, void, undefined> {
  let before = { tokens: 0, cost: 0 };
  if (from > 1 && from <= to) [before = before] = await history.turns(from - 1, from - 1);
  for (let at = from; at <= to; at += limits.page) {
    for (const row of await history.turns(at, Math.min(to, at + limits.page - 1))) {
      yield { row, tokens: row.tokens - before.tokens, cost: row.cost - before.cost };
      before = row;
    }
  }
}

/** Where a turn was first written, as a key. */
export function originKey(turn: TurnRow): string {
  const { seq, timelineId } = turn.origin ?? turn;
  return `${timelineId} ${seq}`;
}

/** The turns for which a merge's new turn stands. */
function originsOf(row: TurnRow): readonly TurnRange[] {
  const { origins } = readStored(row.body, `timeline '${row.timelineId}' seq ${row.seq}`);
  return Array.isArray(origins) ? origins.filter(isPlainObject).map((one) => one as never) : [];
}
