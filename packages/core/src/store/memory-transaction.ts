import { parseTimelineId } from '../session/ids.ts';
import { MemoryRecords } from './memory-records.ts';
import type {
  FeedItem,
  FeedPage,
  KeptTimeline,
  Owner,
  RecordRow,
  TimelineRow,
  TurnRow,
  VariablesRow,
  VariablesVersion,
} from './port.ts';
import {
  type JournalEntry,
  type StoredSession,
  type StoreTransaction,
  statusAt,
  type VariablesEntry,
} from './transaction.ts';
import { foldVariables, variablesInterval } from './variables.ts';

interface MemoryTimeline {
  readonly row: TimelineRow;
  turns: TurnRow[];
  variables: VariablesEntry[];
}

/** One session and all that it owns. */
export class MemorySession {
  row: StoredSession;
  readonly timelines: Map<string, MemoryTimeline> = new Map();
  readonly records: MemoryRecords = new MemoryRecords();
  /** The turns that the session itself wrote, and the copies that merges brought. */
  readonly #own = new Map<string, TurnRow>();
  readonly #copies = new Map<string, TurnRow[]>();
  #journal: JournalEntry[] = [];

  constructor(row: StoredSession) {
    this.row = row;
  }

  get metadata(): string {
    return this.records.get('metadata', '')?.value ?? '{}';
  }

  get isEmpty(): boolean {
    return (
      this.timelines.size === 0 && this.records.count('branch') + this.records.count('hold') === 0
    );
  }

  ownTurn(turnId: string): TurnRow | undefined {
    return this.#own.get(turnId);
  }

  turnsWithId(turnId: string): readonly TurnRow[] {
    const own = this.#own.get(turnId);
    const copies = this.#copies.get(turnId) ?? [];
    return own === undefined ? copies : [own, ...copies];
  }

  addTurn(turn: TurnRow): boolean {
    if (turn.origin !== null) {
      const copies = this.#copies.get(turn.turnId);
      if (copies === undefined) this.#copies.set(turn.turnId, [turn]);
      else copies.push(turn);
    } else {
      if (this.#own.has(turn.turnId)) return false;
      this.#own.set(turn.turnId, turn);
    }
    this.timelines.get(turn.timelineId)?.turns.push(turn);
    return true;
  }

  addJournal(entry: JournalEntry): void {
    this.#journal.push(entry);
  }

  feed(page: FeedPage): readonly FeedItem[] {
    const turns = [...this.timelines.values()]
      .flatMap((timeline) => timeline.turns)
      .filter((turn) => turn.revision !== null && turn.revision > page.after)
      .map((turn): FeedItem => ({ revision: turn.revision ?? 0, type: 'turn', at: turn.at, turn }));
    const entries = this.#journal
      .filter((entry) => entry.revision > page.after)
      .map((entry) => entry as FeedItem);
    return [...turns, ...entries].sort((a, b) => a.revision - b.revision).slice(0, page.limit);
  }

  /** Leaves a tombstone: nothing of what was said or noted but what branches may hold. */
  bury(now: number): void {
    const revision = this.row.revision + 1;
    this.row = { ...this.row, status: 'deleted', revision, updatedAt: now, dueAt: now };
    this.records.keepOnly(['branch', 'hold']);
    this.#journal = [{ revision, type: 'deleted', at: now, data: null }];
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

  #forgetTurn(turn: TurnRow): void {
    if (turn.origin === null) this.#own.delete(turn.turnId);
    else this.#copies.delete(turn.turnId);
  }

  forget(before: number, now: number, limit: number): number {
    const old = this.#journal.filter((entry) => entry.at < before).length;
    this.#journal.splice(0, Math.min(old, limit));
    return Math.min(old, limit) + this.records.dropOperations(now);
  }
}

/** A transaction in memory: nothing interrupts it, and nothing in it fails after the first write. */
export class MemoryTransaction implements StoreTransaction {
  readonly now: number;
  readonly #sessions: Map<string, MemorySession>;
  readonly #nextKey: () => number;

  constructor(sessions: Map<string, MemorySession>, now: number, nextKey: () => number) {
    this.#sessions = sessions;
    this.now = now;
    this.#nextKey = nextKey;
  }

  #of(session: StoredSession): MemorySession {
    return this.#sessions.get(session.sessionId) as MemorySession;
  }

  session(sessionId: string): StoredSession | undefined {
    return this.#sessions.get(sessionId)?.row;
  }

  addSession(session: StoredSession): StoredSession {
    const row = { ...session, key: this.#nextKey() };
    this.#sessions.set(session.sessionId, new MemorySession(row));
    return row;
  }

  putSession(session: StoredSession): void {
    this.#of(session).row = session;
  }

  countOpen(owner: Owner, limit: number): number {
    let count = 0;
    for (const { row } of this.#sessions.values()) {
      if (row.userId !== owner.userId || row.tenantId !== owner.tenantId) continue;
      const status = statusAt(row, this.now);
      const open = status === 'active' || status === 'suspended';
      if (open && row.parentSessionId === null && ++count >= limit) break;
    }
    return count;
  }

  timeline(session: StoredSession, timelineId: string): TimelineRow | undefined {
    return this.#of(session).timelines.get(timelineId)?.row;
  }

  addTimeline(session: StoredSession, timeline: TimelineRow): void {
    const added = { row: timeline, turns: [], variables: [] };
    this.#of(session).timelines.set(timeline.timelineId, added);
  }

  ownTurn(session: StoredSession, turnId: string): TurnRow | undefined {
    return this.#of(session).ownTurn(turnId);
  }

  addTurn(session: StoredSession, turn: TurnRow): boolean {
    return this.#of(session).addTurn(turn);
  }

  lastTurn(session: StoredSession, timelineId: string): TurnRow | undefined {
    return this.#of(session).timelines.get(timelineId)?.turns.at(-1);
  }

  variables(at: VariablesVersion): VariablesRow | undefined {
    const { sessionId } = parseTimelineId(at.timelineId);
    const timeline = this.#sessions.get(sessionId)?.timelines.get(at.timelineId);
    if (timeline === undefined) return undefined;
    const last = timeline.variables.findLastIndex(
      (entry) =>
        entry.at.position < at.position ||
        (entry.at.position === at.position && entry.at.revision <= at.revision),
    );
    const found = timeline.variables[last];
    if (found === undefined) return undefined;
    const newestFirst = timeline.variables
      .slice(Math.max(0, last - variablesInterval), last + 1)
      .reverse();
    return { at: found.at, json: foldVariables(newestFirst) };
  }

  addVariables(session: StoredSession, entry: VariablesEntry): void {
    this.#of(session).timelines.get(entry.at.timelineId)?.variables.push(entry);
  }

  record(session: StoredSession, kind: string, key: string): RecordRow | undefined {
    return this.#of(session).records.get(kind, key);
  }

  labelled(session: StoredSession, kind: string, label: string): RecordRow | undefined {
    return this.#of(session).records.labelled(kind, label);
  }

  records(
    session: StoredSession,
    kind: string,
    after: string,
    limit: number,
  ): readonly RecordRow[] {
    return this.#of(session).records.page(kind, { after, limit });
  }

  countRecords(session: StoredSession, kind: string): number {
    return this.#of(session).records.count(kind);
  }

  putRecord(session: StoredSession, record: RecordRow): void {
    this.#of(session).records.put(record);
  }

  deleteRecord(session: StoredSession, kind: string, key: string): void {
    this.#of(session).records.delete(kind, key);
  }

  addJournal(session: StoredSession, entry: JournalEntry): void {
    this.#of(session).addJournal(entry);
  }
}
