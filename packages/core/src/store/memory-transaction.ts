import { parseTimelineId } from '../session/ids.ts';
import type { MemorySession } from './memory-session.ts';
import type { MemorySessions } from './memory-sessions.ts';
import type {
  MarkRow,
  Owner,
  RecordRow,
  TimelineRow,
  TurnRow,
  VariablesRow,
  VariablesVersion,
} from './rows.ts';
import {
  type JournalEntry,
  type StoredSession,
  type StoreTransaction,
  statusAt,
  type VariablesEntry,
} from './transaction.ts';
import { foldVariables, variablesInterval } from './variables.ts';

/** A transaction in memory: nothing interrupts it, and nothing in it fails after the first write. */
export class MemoryTransaction implements StoreTransaction {
  readonly now: number;
  readonly #sessions: MemorySessions;

  constructor(sessions: MemorySessions, now: number) {
    this.#sessions = sessions;
    this.now = now;
  }

  #of(session: StoredSession): MemorySession {
    return this.#sessions.get(session.sessionId) as MemorySession;
  }

  session(sessionId: string): StoredSession | undefined {
    return this.#sessions.get(sessionId)?.row;
  }

  addSession(session: StoredSession): StoredSession {
    return this.#sessions.add(session).row;
  }

  putSession(session: StoredSession): void {
    this.#sessions.put(session);
  }

  countOpen(owner: Owner, limit: number): number {
    let count = 0;
    for (const { row } of this.#sessions.ofUser(owner.userId)) {
      if (row.tenantId !== owner.tenantId) continue;
      const status = statusAt(row, this.now);
      const open = status === 'active' || status === 'suspended';
      if (open && row.parentSessionId === null && ++count >= limit) break;
    }
    return count;
  }

  spent(owner: Owner): number {
    return this.#sessions.spent(owner);
  }

  timeline(session: StoredSession, timelineId: string): TimelineRow | undefined {
    return this.#of(session).timelines.get(timelineId)?.row;
  }

  addTimeline(session: StoredSession, timeline: TimelineRow): void {
    this.#of(session).addTimeline(timeline);
  }

  moveTimeline(
    session: StoredSession,
    timeline: TimelineRow,
    by: { readonly seq: number; readonly tokens: number; readonly cost: number },
  ): void {
    this.#of(session).moveTimeline(timeline, by);
  }

  ownTurn(session: StoredSession, turnId: string): TurnRow | undefined {
    return this.#of(session).ownTurn(turnId);
  }

  addTurn(session: StoredSession, turn: TurnRow): boolean {
    const added = this.#of(session).addTurn(turn, this.now);
    if (added) this.#sessions.note(session, turn);
    return added;
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

  mark(session: StoredSession, n: number): MarkRow | undefined {
    return this.#of(session).mark(n);
  }

  oldestMark(session: StoredSession): number | undefined {
    return this.#of(session).oldestMark(session.checkpointFloor);
  }

  clearMark(session: StoredSession, n: number): void {
    this.#of(session).clearMark(n);
  }

  oldestCheckpoint(session: StoredSession): string | undefined {
    return this.#of(session).records.first('checkpoint', (record) => record.label === null)?.key;
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
