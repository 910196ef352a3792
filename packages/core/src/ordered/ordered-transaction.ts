import { createHash } from 'node:crypto';
import { parseTimelineId } from '../session/ids.ts';
import type {
  MarkRow,
  Owner,
  RecordRow,
  TimelineRow,
  TurnRow,
  VariablesRow,
  VariablesVersion,
} from '../store/rows.ts';
import {
  type JournalEntry,
  type StoredSession,
  type StoreTransaction,
  statusAt,
  type VariablesEntry,
} from '../store/transaction.ts';
import { addUsage, noUsage } from '../store/usage.ts';
import { UsageLedger } from '../store/usage-ledger.ts';
import { foldVariables, variablesInterval } from '../store/variables.ts';
import {
  byUser,
  changes,
  counters,
  type FeedRow,
  feed,
  indexOfRecord,
  indexOfSession,
  indexOfTimeline,
  indexOfTurn,
  journal,
  marks,
  ownerParts,
  records,
  sessions,
  spent,
  timelines,
  turnIds,
  turns,
  usage,
  variables,
} from './schema.ts';
import type { Tables } from './tables.ts';

/** What the rules of a commit ask for and write, as rows. It knows no rule itself. */
export class OrderedTransaction implements StoreTransaction {
  readonly rows: Tables;
  readonly now: number;

  constructor(rows: Tables, now: number) {
    this.rows = rows;
    this.now = now;
  }

  session(sessionId: string): StoredSession | undefined {
    return this.rows.get(sessions, sessionId);
  }

  addSession(session: StoredSession): StoredSession {
    this.putSession(session);
    return session;
  }

  putSession(session: StoredSession): void {
    const before = this.session(session.sessionId);
    this.rows.put(sessions, session, session.sessionId);
    this.rows.reindex(before === undefined ? [] : indexOfSession(before), indexOfSession(session));
    const cost = session.lifetimeCost - (before?.lifetimeCost ?? 0);
    if (cost !== 0) this.rows.put(spent, this.spent(session) + cost, ...ownerParts(session));
  }

  countOpen(owner: Owner, limit: number): number {
    let count = 0;
    for (const sessionId of this.rows.each(byUser, [owner.userId])) {
      const session = this.session(sessionId);
      if (session?.tenantId !== owner.tenantId || session.parentSessionId !== null) continue;
      if (!['active', 'suspended'].includes(statusAt(session, this.now))) continue;
      count += 1;
      if (count >= limit) break;
    }
    return count;
  }

  spent(owner: Owner): number {
    return this.rows.get(spent, ...ownerParts(owner)) ?? 0;
  }

  timeline({ sessionId }: StoredSession, timelineId: string): TimelineRow | undefined {
    return this.rows.get(timelines, sessionId, parseTimelineId(timelineId).n);
  }

  addTimeline({ sessionId }: StoredSession, timeline: TimelineRow): void {
    this.rows.put(timelines, timeline, sessionId, parseTimelineId(timeline.timelineId).n);
    this.rows.reindex([], indexOfTimeline(timeline));
  }

  moveTimeline(
    session: StoredSession,
    timeline: TimelineRow,
    by: { readonly seq: number; readonly tokens: number; readonly cost: number },
  ): void {
    const before = this.timeline(session, timeline.timelineId);
    if (before === undefined) return;
    this.rows.reindex(indexOfTimeline(before), []);
    this.addTimeline(session, timeline);
    const { n, sessionId } = parseTimelineId(timeline.timelineId);
    const moved = [...this.rows.each(turns, [sessionId, n])];
    for (const turn of moved) this.dropTurn(turn);
    for (const turn of moved) {
      const { cost, seq, tokens } = turn;
      this.#putTurn({
        ...turn,
        seq: seq + by.seq,
        tokens: tokens + by.tokens,
        cost: cost + by.cost,
      });
    }
  }

  /** The turns with this id: the session's own one and copies. */
  turnsWithId(sessionId: string, turnId: string): readonly TurnRow[] {
    return [...this.rows.each(turnIds, [sessionId, turnId])].flatMap(
      ({ seq, timeline }) => this.rows.get(turns, sessionId, timeline, seq) ?? [],
    );
  }

  ownTurn({ sessionId }: StoredSession, turnId: string): TurnRow | undefined {
    return this.turnsWithId(sessionId, turnId).find(({ origin }) => origin === null);
  }

  addTurn(session: StoredSession, turn: TurnRow): boolean {
    const isOwn = turn.origin === null;
    if (isOwn && this.ownTurn(session, turn.turnId) !== undefined) return false;
    this.#putTurn(turn);
    const { sessionId } = session;
    const { checkpoint, revision, seq } = turn;
    const { n: timeline } = parseTimelineId(turn.timelineId);
    if (checkpoint !== null) {
      const mark = { n: checkpoint, timeline, seq, createdAt: this.now };
      this.rows.put(marks, mark, sessionId, checkpoint);
    }
    if (revision !== null) {
      this.#happened({ sessionId, revision, order: [0, seq], what: { timeline, seq } });
    }
    if (isOwn) this.#use(session, turn);
    return true;
  }

  #putTurn(turn: TurnRow): void {
    const { n, sessionId } = parseTimelineId(turn.timelineId);
    this.rows.put(turns, turn, sessionId, n, turn.seq);
    this.rows.reindex([], indexOfTurn(turn));
  }

  dropTurn(turn: TurnRow): void {
    const { n, sessionId } = parseTimelineId(turn.timelineId);
    this.rows.drop(turns, sessionId, n, turn.seq);
    this.rows.reindex(indexOfTurn(turn), []);
  }

  /** Adds what a turn used to the sums of its day, so that reports need no turns. */
  #use({ tenantId, userId }: StoredSession, turn: TurnRow): void {
    const ledger = new UsageLedger();
    ledger.add({ tenantId, userId }, turn);
    for (const by of ['model', 'tool'] as const) {
      for (const row of ledger.rows(by)) {
        const { sums, ...toldBy } = row;
        const parts = [by, digestOf(JSON.stringify(toldBy))];
        const total = { ...(this.rows.get(usage, ...parts)?.sums ?? noUsage) };
        addUsage(total, sums);
        this.rows.put(usage, { ...row, sums: total }, ...parts);
      }
    }
  }

  lastTurn({ sessionId }: StoredSession, timelineId: string): TurnRow | undefined {
    const { n } = parseTimelineId(timelineId);
    for (const turn of this.rows.each(turns, [sessionId, n], { backwards: true })) return turn;
    return undefined;
  }

  mark({ sessionId }: StoredSession, n: number): MarkRow | undefined {
    const mark = this.rows.get(marks, sessionId, n);
    const turn = mark && this.rows.get(turns, sessionId, mark.timeline, mark.seq);
    if (mark === undefined || turn === undefined) return undefined;
    const [version] = this.#versions({
      timelineId: turn.timelineId,
      position: turn.seq * 2,
      revision: Number.MAX_SAFE_INTEGER,
    });
    const base = this.rows.get(timelines, sessionId, mark.timeline)?.base;
    return { turn, createdAt: mark.createdAt, variables: version?.at ?? base?.variables ?? null };
  }

  oldestMark({ checkpointFloor, sessionId }: StoredSession): number | undefined {
    const from = [sessionId, checkpointFloor + 1];
    for (const { n } of this.rows.each(marks, [sessionId], { from })) return n;
    return undefined;
  }

  clearMark({ sessionId }: StoredSession, n: number): void {
    this.rows.drop(marks, sessionId, n);
  }

  variables(at: VariablesVersion): VariablesRow | undefined {
    const newestFirst = this.#versions(at);
    const newest = newestFirst[0];
    return newest && { at: newest.at, json: foldVariables(newestFirst) };
  }

  /** A version, or the newest before it, and those before as far as it may depend on them. */
  #versions({ position, revision, timelineId }: VariablesVersion): readonly VariablesEntry[] {
    const { n, sessionId } = parseTimelineId(timelineId);
    const to = [sessionId, n, position, Math.floor(revision) + 1];
    const found: VariablesEntry[] = [];
    for (const entry of this.rows.each(variables, [sessionId, n], { to, backwards: true })) {
      if (found.push(entry) > variablesInterval) break;
    }
    return found;
  }

  addVariables({ sessionId }: StoredSession, entry: VariablesEntry): void {
    const { position, revision, timelineId } = entry.at;
    this.rows.put(variables, entry, sessionId, parseTimelineId(timelineId).n, position, revision);
  }

  record(
    { sessionId }: { readonly sessionId: string },
    kind: string,
    key: string,
  ): RecordRow | undefined {
    return this.rows.get(records, sessionId, kind, key);
  }

  labelled({ sessionId }: StoredSession, kind: string, label: string): RecordRow | undefined {
    for (const record of this.rows.each(records, [sessionId, kind])) {
      if (record.label === label) return record;
    }
    return undefined;
  }

  oldestCheckpoint({ sessionId }: StoredSession): string | undefined {
    for (const record of this.rows.each(records, [sessionId, 'checkpoint'])) {
      if (record.label === null) return record.key;
    }
    return undefined;
  }

  countRecords({ sessionId }: StoredSession, kind: string): number {
    return [...this.rows.each(records, [sessionId, kind])].length;
  }

  putRecord({ sessionId }: StoredSession, record: RecordRow): void {
    this.#replaceRecord(sessionId, record.kind, record.key, record);
  }

  deleteRecord({ sessionId }: { readonly sessionId: string }, kind: string, key: string): void {
    this.#replaceRecord(sessionId, kind, key, undefined);
  }

  #replaceRecord(sessionId: string, kind: string, key: string, next: RecordRow | undefined): void {
    const before = this.record({ sessionId }, kind, key);
    const index = (record: RecordRow | undefined) =>
      record === undefined ? [] : indexOfRecord(sessionId, record);
    this.rows.reindex(index(before), index(next));
    if (next === undefined) this.rows.drop(records, sessionId, kind, key);
    else this.rows.put(records, next, sessionId, kind, key);
  }

  addJournal({ sessionId }: StoredSession, entry: JournalEntry): void {
    const { at, part, revision } = entry;
    const position = this.#happened({ sessionId, revision, order: [1, part], what: entry });
    this.rows.put(journal, { sessionId, revision, order: [1, part] }, at, position);
  }

  /** Notes something for the session's feed and for the changes, and answers its place there. */
  #happened(row: Omit<FeedRow, 'position'>): number {
    const { order, revision, sessionId } = row;
    const position = (this.rows.get(counters, 'position') ?? 0) + 1;
    this.rows.put(counters, position, 'position');
    this.rows.put(feed, { ...row, position }, sessionId, revision, ...order);
    this.rows.put(changes, { sessionId, revision, order }, position);
    return position;
  }

  /** Takes back what was noted. */
  dropHappened({ order, position, revision, sessionId, what }: FeedRow): void {
    this.rows.drop(feed, sessionId, revision, ...order);
    this.rows.drop(changes, position);
    if ('at' in what) this.rows.drop(journal, what.at, position);
  }

  /** Drops a timeline of which no turn is left. */
  dropTimeline(timeline: TimelineRow): void {
    const { n, sessionId } = parseTimelineId(timeline.timelineId);
    this.rows.drop(timelines, sessionId, n);
    this.rows.reindex(indexOfTimeline(timeline), []);
  }
}

/** Names are long, and a report reads all rows anyway. */
function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
