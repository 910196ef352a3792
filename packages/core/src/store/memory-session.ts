import { parseTimelineId } from '../session/ids.ts';
import { checkpointKey, markRecord, mergeCheckpoints, numbersOf } from './checkpoints.ts';
import { entryItems, type LogEntry, type MemoryLog } from './memory-log.ts';
import { MemoryRecords } from './memory-records.ts';
import type { FeedPage, KeptTimeline, KeyPage, NumberPage } from './port.ts';
import type { FeedItem, MarkRow, RecordRow, TimelineRow, TurnRow } from './rows.ts';
import type { JournalEntry, StoredSession, VariablesEntry } from './transaction.ts';

interface MemoryTimeline {
  readonly row: TimelineRow;
  turns: TurnRow[];
  variables: VariablesEntry[];
}

type Place = { readonly timelineId: string; readonly seq: number };

function placeOf({ seq, timelineId }: Place): string {
  return `${seq} ${timelineId}`;
}

/** One session and all that it owns. */
export class MemorySession {
  row: StoredSession;
  readonly timelines: Map<string, MemoryTimeline> = new Map();
  /** The timelines by the place of their base. */
  readonly #byBase = new Map<string, string[]>();
  readonly records: MemoryRecords = new MemoryRecords();
  /** The turns that the session itself wrote, and the copies that merges brought. */
  readonly #own = new Map<string, TurnRow>();
  readonly #copies = new Map<string, TurnRow[]>();
  /** Automatic checkpoints by their number, oldest first. */
  readonly #marks = new Map<number, { readonly turn: TurnRow; readonly createdAt: number }>();
  readonly #log: MemoryLog;
  /** What happened, in the order of revisions. */
  #feed: LogEntry[] = [];

  constructor(row: StoredSession, log: MemoryLog) {
    this.row = row;
    this.#log = log;
  }

  get metadata(): string {
    return this.records.get('metadata', '')?.value ?? '{}';
  }

  get isEmpty(): boolean {
    return this.timelines.size === 0 && this.records.isEmpty;
  }

  addTimeline(row: TimelineRow): void {
    this.timelines.set(row.timelineId, { row, turns: [], variables: [] });
    if (row.base === null) return;
    const place = placeOf(row.base);
    const there = this.#byBase.get(place);
    if (there === undefined) this.#byBase.set(place, [row.timelineId]);
    else there.push(row.timelineId);
  }

  moveTimeline(
    row: TimelineRow,
    by: { readonly seq: number; readonly tokens: number; readonly cost: number },
  ): void {
    const timeline = this.timelines.get(row.timelineId);
    if (timeline === undefined) return;
    const { base } = timeline.row;
    if (base !== null) {
      const there = this.#byBase.get(placeOf(base)) ?? [];
      this.#byBase.set(
        placeOf(base),
        there.filter((id) => id !== row.timelineId),
      );
    }
    for (const turn of timeline.turns) this.#forgetTurn(turn);
    const moved = timeline.turns.map((turn) => ({
      ...turn,
      seq: turn.seq + by.seq,
      tokens: turn.tokens + by.tokens,
      cost: turn.cost + by.cost,
    }));
    this.addTimeline(row);
    for (const turn of moved) this.addTurn(turn, turn.at);
  }

  startingAt(base: Place, { after = 0, limit }: NumberPage): readonly TimelineRow[] {
    return (this.#byBase.get(placeOf(base)) ?? [])
      .filter((id) => parseTimelineId(id).n > after)
      .flatMap((id) => this.timelines.get(id)?.row ?? [])
      .slice(0, limit);
  }

  ownTurn(turnId: string): TurnRow | undefined {
    return this.#own.get(turnId);
  }

  turnsWithId(turnId: string): readonly TurnRow[] {
    const own = this.#own.get(turnId);
    const copies = this.#copies.get(turnId) ?? [];
    return own === undefined ? copies : [own, ...copies];
  }

  addTurn(turn: TurnRow, now: number): boolean {
    if (turn.origin !== null) {
      const copies = this.#copies.get(turn.turnId);
      if (copies === undefined) this.#copies.set(turn.turnId, [turn]);
      else copies.push(turn);
    } else {
      if (this.#own.has(turn.turnId)) return false;
      this.#own.set(turn.turnId, turn);
    }
    this.timelines.get(turn.timelineId)?.turns.push(turn);
    if (turn.revision !== null) this.#feed.push(this.#log.add(this, turn));
    if (turn.checkpoint !== null) this.#marks.set(turn.checkpoint, { turn, createdAt: now });
    return true;
  }

  mark(n: number): MarkRow | undefined {
    const mark = this.#marks.get(n);
    if (mark === undefined) return undefined;
    const timeline = this.timelines.get(mark.turn.timelineId);
    const version = timeline?.variables.findLast(({ at }) => at.position <= mark.turn.seq * 2);
    return { ...mark, variables: version?.at ?? timeline?.row.base?.variables ?? null };
  }

  oldestMark(floor: number): number | undefined {
    for (const n of this.#marks.keys()) {
      if (n > floor) return n;
      this.#marks.delete(n);
    }
    return undefined;
  }

  clearMark(n: number): void {
    this.#marks.delete(n);
  }

  record(kind: string, key: string): RecordRow | null {
    const record = this.records.get(kind, key);
    if (record !== undefined || kind !== 'checkpoint') return record ?? null;
    const n = Number(key);
    const held = key === checkpointKey(n) && n > this.row.checkpointFloor;
    const mark = held ? this.mark(n) : undefined;
    return mark === undefined ? null : markRecord(mark);
  }

  page(kind: string, page: KeyPage): readonly RecordRow[] {
    const records = this.records.page(kind, page);
    if (kind !== 'checkpoint') return records;
    const { from, to } = numbersOf(page, this.row.checkpointFloor);
    const marks = [...this.#marks.keys()].filter((n) => n > from && n < to);
    return mergeCheckpoints(
      marks.map((n) => this.mark(n) as MarkRow),
      records,
      page,
    );
  }

  addJournal(entry: JournalEntry): void {
    this.#feed.push(this.#log.add(this, entry));
  }

  feed({ after, limit }: FeedPage): readonly FeedItem[] {
    const items: FeedItem[] = [];
    for (let at = this.#indexAfter(after); at < this.#feed.length; at++) {
      const entry = this.#feed[at] as LogEntry;
      // A change is never cut in two.
      if (items.length >= limit && revisionOf(entry) !== items.at(-1)?.revision) break;
      items.push(...entryItems(entry));
    }
    return items;
  }

  #indexAfter(revision: number): number {
    let [low, high] = [0, this.#feed.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (revisionOf(this.#feed[middle] as LogEntry) <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Leaves a tombstone: nothing of what was said or noted but what branches may hold. */
  bury(now: number): void {
    const revision = this.row.revision + 1;
    this.row = { ...this.row, status: 'deleted', revision, updatedAt: now, dueAt: now };
    this.records.keepOnly(['branch', 'hold', 'held']);
    this.#marks.clear();
    for (const entry of this.#feed.splice(0)) this.#log.clear(entry, false);
    this.addJournal({ revision, part: 0, type: 'deleted', at: now, data: null });
  }

  /** Drops up to `limit` turns that nobody reads any more; whether nothing is left to drop. */
  shrink(keep: readonly KeptTimeline[], limit: number): boolean {
    const kept = new Map(keep.map((timeline) => [timeline.timelineId, timeline]));
    let left = limit;
    for (const [id, timeline] of this.timelines) {
      const reach = kept.get(id);
      while (left > 0) {
        const last = timeline.turns.at(-1);
        if (last === undefined || (reach !== undefined && last.seq <= reach.seq)) break;
        timeline.turns.pop();
        this.#forgetTurn(last);
        left -= 1;
      }
      if (left === 0) return false;
      const version = reach?.variables ?? null;
      timeline.variables = timeline.variables.filter(
        ({ at }) =>
          version !== null &&
          (at.position < version.position ||
            (at.position === version.position && at.revision <= version.revision)),
      );
      if (reach === undefined) this.timelines.delete(id);
    }
    return true;
  }

  /** Drops up to `limit` turns of one timeline, and with the last one the timeline; whether it is gone. */
  dropTimeline(timelineId: string, limit: number): boolean {
    const timeline = this.timelines.get(timelineId);
    for (const turn of timeline?.turns.splice(-limit) ?? []) this.#forgetTurn(turn);
    if (timeline !== undefined && timeline.turns.length > 0) return false;
    this.timelines.delete(timelineId);
    return true;
  }

  #forgetTurn(turn: TurnRow): void {
    if (turn.origin === null) this.#own.delete(turn.turnId);
    else {
      const others = this.#copies.get(turn.turnId)?.filter((copy) => copy !== turn) ?? [];
      if (others.length > 0) this.#copies.set(turn.turnId, others);
      else this.#copies.delete(turn.turnId);
    }
  }

  forget(before: number, now: number, limit: number): number {
    const old = this.#feed
      .filter(({ what }) => what !== null && !('turnId' in what) && what.at < before)
      .slice(0, limit);
    if (old.length > 0) {
      for (const entry of old) this.#log.clear(entry, true);
      this.#feed = this.#feed.filter(({ what }) => what !== null);
    }
    return old.length + this.records.dropOperations(now, limit - old.length);
  }
}

function revisionOf({ what }: LogEntry): number {
  return what?.revision ?? 0;
}
