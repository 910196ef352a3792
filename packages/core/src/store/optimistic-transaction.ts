import { type Found, type Need, Needs, Reads } from './optimistic-needs.ts';
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
  type VariablesEntry,
  variablesOf,
} from './transaction.ts';
import { foldVariables } from './variables.ts';

/** What a process knows of a session as of one version; every write to the session, seen or not, makes a new one. */
export interface KnownSession {
  readonly sessionId: string;
  /** Undefined if there is none. */
  readonly row: StoredSession | undefined;
  /** What the engine tells one state of the session from another by; 0 if there is none. */
  readonly version: number;
  readonly reads: Reads;
  /** Whether what was read stays true when turns are added. */
  readonly isLasting?: boolean;
}

/** A record to be written. */
export interface RecordToWrite {
  readonly record: RecordRow;
  /** Nobody looked whether it is there: if it is, nothing may be written. */
  readonly mustBeNew: boolean;
}

/** What one flush writes, all or nothing, if the session is still at `version`. */
export interface SessionWrites {
  readonly sessionId: string;
  /** The session as it was at `version`; undefined if it is to be made. */
  readonly before: StoredSession | undefined;
  readonly version: number;
  readonly row: StoredSession;
  /** The time of all of it. */
  readonly now: number;
  readonly timelines: readonly TimelineRow[];
  /** Rows in place of timelines' rows, and what is added to the seqs and sums of their turns. */
  readonly moved: readonly MovedTimeline[];
  readonly turns: readonly TurnRow[];
  /** Ids of turns that callers chose and nobody looked for: if the session wrote one before, nothing may be written. */
  readonly unseen: readonly string[];
  /** Automatic checkpoints, by number, that turns written before no longer bear. */
  readonly cleared: readonly number[];
  readonly variables: readonly VariablesEntry[];
  /** Deleted before others are put. */
  readonly deleted: readonly { readonly kind: string; readonly key: string }[];
  readonly records: readonly RecordToWrite[];
  readonly journal: readonly JournalEntry[];
  /** Whose row must still be at this version, and goes up by one: the cap of open sessions depends on it. */
  readonly owner: { readonly owner: Owner; readonly version: number } | undefined;
}

export interface MovedTimeline {
  readonly timeline: TimelineRow;
  readonly by: { readonly seq: number; readonly tokens: number; readonly cost: number };
}

/** Thrown where a commit builds on what others of the same flush have not written yet: it goes in the next one. */
export class MustWait extends Error {}

interface Savepoint {
  readonly row: StoredSession | undefined;
  readonly owner: SessionWrites['owner'];
  readonly timelines: number;
  readonly moved: number;
  readonly turns: number;
  readonly cleared: number;
  readonly variables: number;
  readonly journal: number;
  readonly records: number;
}

/** Checkpoints that are asked for at a time. */
const oldestAtATime = 8;
const marksAtATime = 100;

/**
 * Runs the rules over what is known of one session, and keeps what they write until it is flushed. What is not
 * known is noted in `lacks` and answered as if it were not there: with something lacking, whatever the rules said
 * is void. Ids of turns and of operations are taken to be new without a look, for the engine refuses those that
 * are not; they are noted in `assumed`.
 */
export class OptimisticTransaction implements StoreTransaction {
  readonly now: number;
  readonly lacks: Needs = new Needs();
  /** What was taken to be absent since the last savepoint. */
  readonly assumed: Needs = new Needs();
  readonly #known: KnownSession;
  #row: StoredSession | undefined;
  #owner: SessionWrites['owner'];
  readonly #timelines: TimelineRow[] = [];
  readonly #moved: MovedTimeline[] = [];
  readonly #turns: TurnRow[] = [];
  readonly #own = new Map<string, TurnRow>();
  readonly #marks = new Map<number, MarkRow>();
  readonly #cleared: number[] = [];
  readonly #variables: { readonly entry: VariablesEntry; readonly json: string }[] = [];
  readonly #journal: JournalEntry[] = [];
  readonly #records = new Map<string, { kind: string; key: string; to: RecordToWrite | null }>();
  /** Which records were changed, and what was to become of them before. */
  readonly #recordLog: { readonly id: string; readonly before: RecordChange | undefined }[] = [];

  constructor(known: KnownSession, now: number) {
    this.#known = known;
    this.#row = known.row;
    this.now = now;
  }

  get row(): StoredSession | undefined {
    return this.#row;
  }

  /** A place to go back to if a commit is refused after it wrote something. */
  savepoint(): Savepoint {
    this.assumed.clear();
    return {
      row: this.#row,
      owner: this.#owner,
      timelines: this.#timelines.length,
      moved: this.#moved.length,
      turns: this.#turns.length,
      cleared: this.#cleared.length,
      variables: this.#variables.length,
      journal: this.#journal.length,
      records: this.#recordLog.length,
    };
  }

  /** Takes back what was written since. */
  rewind(to: Savepoint): void {
    this.#row = to.row;
    this.#owner = to.owner;
    this.#timelines.length = to.timelines;
    this.#moved.length = to.moved;
    for (const turn of this.#turns.splice(to.turns)) {
      if (turn.origin === null) this.#own.delete(turn.turnId);
      if (turn.checkpoint !== null) this.#marks.delete(turn.checkpoint);
    }
    this.#cleared.length = to.cleared;
    this.#variables.length = to.variables;
    this.#journal.length = to.journal;
    for (const { before, id } of this.#recordLog.splice(to.records).reverse()) {
      if (before === undefined) this.#records.delete(id);
      else this.#records.set(id, before);
    }
  }

  /** What is to be flushed, or null if nothing is. @param chosen ids of turns that callers gave */
  writes(chosen: ReadonlySet<string>): SessionWrites | null {
    if (this.#row === undefined || this.#row === this.#known.row) return null;
    const changes = [...this.#records.values()];
    return {
      sessionId: this.#known.sessionId,
      before: this.#known.row,
      version: this.#known.version,
      row: this.#row,
      now: this.now,
      timelines: this.#timelines,
      moved: this.#moved,
      turns: this.#turns.map((turn) => this.#unlessCleared(turn)),
      unseen: chosen.size === 0 ? [] : this.#unseen(chosen),
      cleared: this.#cleared.filter((n) => !this.#marks.has(n)),
      variables: this.#variables.map(({ entry }) => entry),
      deleted: changes.filter(({ to }) => to === null),
      records: changes.flatMap(({ to }) => (to === null ? [] : [to])),
      journal: this.#journal,
      owner: this.#owner,
    };
  }

  #unseen(chosen: ReadonlySet<string>): readonly string[] {
    if (this.#known.row === undefined) return [];
    return [...this.#own.keys()].filter(
      (turnId) => chosen.has(turnId) && !this.#known.reads.has({ need: 'turn', turnId }),
    );
  }

  /** What is known once the writes were flushed; key and version are the engine's. */
  flushed({ key, version }: { readonly key: number; readonly version: number }): KnownSession {
    const row = this.#row as StoredSession;
    const { isLasting, reads: before, sessionId } = this.#known;
    const changed =
      this.#records.size + this.#variables.length + this.#marks.size + this.#cleared.length;
    if (isLasting === true && changed === 0 && this.#owner === undefined && this.#isInPlace(row)) {
      return { sessionId, row, version, reads: before, isLasting };
    }
    const reads = new Reads();
    const at = variablesOf(row);
    if (at !== null) {
      const need = { need: 'variables', at } as const;
      const json = this.#written(at)?.json ?? this.#known.reads.get<'variables'>(need)?.json;
      if (json !== undefined && json.length <= keptLength) reads.set(need, { at, json });
    }
    const records = new Map<string, { kind: string; key: string; record: RecordRow | undefined }>();
    // Of a session that was made here all is known.
    if (this.#known.row === undefined) {
      records.set(recordId('metadata', ''), { kind: 'metadata', key: '', record: undefined });
    }
    for (const [{ key, kind }, record] of this.#known.reads.of('record')) {
      records.set(recordId(kind, key), { kind, key, record });
    }
    for (const [id, { key, kind, to }] of this.#records) {
      records.delete(id);
      records.set(id, { kind, key, record: to?.record });
    }
    const kept = [...records.values()].filter(isKept).slice(-keptRecords);
    for (const { key, kind, record } of kept) reads.set({ need: 'record', kind, key }, record);
    const marks = this.#knownMarks(row.checkpointFloor);
    if (marks.isComplete && marks.above <= row.checkpointFloor) {
      const numbers = [...marks.numbers, ...this.#marks.keys()].filter(
        (n) => n > row.checkpointFloor && !this.#cleared.includes(n),
      );
      const need = { need: 'marks', above: row.checkpointFloor, limit: marksAtATime } as const;
      if (numbers.length < marksAtATime) reads.set(need, numbers);
    }
    for (const [need, { open, version }] of this.#known.reads.of('open')) {
      // The version of a row that was made just now is the engine's.
      if (version > 0) reads.set(need, { open: open + 1, version: version + 1 });
    }
    return { sessionId, row: { ...row, key }, version, reads, isLasting: true };
  }

  /** Whether the pointer stands on the same timeline, with the same variables and checkpoints. */
  #isInPlace(row: StoredSession): boolean {
    const before = this.#known.row;
    return (
      before !== undefined &&
      row.moves === before.moves &&
      row.variablesRevision === before.variablesRevision &&
      row.checkpointFloor === before.checkpointFloor
    );
  }

  /** The value of a need, or undefined, noted as lacking. */
  #read<N extends Need>(need: N): unknown {
    // A session that is made here has nothing but what was written here.
    if (this.#known.row === undefined && need.need !== 'open') return undefined;
    if (this.#known.reads.has(need)) return this.#known.reads.get(need);
    this.lacks.add(need);
    return undefined;
  }

  session(sessionId: string): StoredSession | undefined {
    return sessionId === this.#known.sessionId ? this.#row : undefined;
  }

  addSession(session: StoredSession): StoredSession {
    this.#row = { ...session };
    return this.#row;
  }

  putSession(session: StoredSession): void {
    this.#row = { ...session };
  }

  countOpen(owner: Owner, limit: number): number {
    const found = this.#read({ need: 'open', owner, limit }) as Found['open'] | undefined;
    if (found === undefined) return 0;
    this.#owner = { owner, version: found.version };
    return found.open;
  }

  spent(owner: Owner): number {
    const { tenantId, userId } = owner;
    const need = { need: 'spent', owner: { tenantId, userId } } as const;
    const found = this.#read(need) as Found['spent'] | undefined;
    if (found === undefined) return 0;
    this.#owner = { owner: need.owner, version: found.version };
    return found.spent + (this.#row?.lifetimeCost ?? 0) - (this.#known.row?.lifetimeCost ?? 0);
  }

  timeline(_session: StoredSession, timelineId: string): TimelineRow | undefined {
    const is = (timeline: TimelineRow): boolean => timeline.timelineId === timelineId;
    const moved = this.#moved.find(({ timeline }) => is(timeline));
    const added = moved?.timeline ?? this.#timelines.find(is);
    return added ?? (this.#read({ need: 'timeline', timelineId }) as TimelineRow | undefined);
  }

  addTimeline(_session: StoredSession, timeline: TimelineRow): void {
    this.#timelines.push(timeline);
  }

  moveTimeline(_session: StoredSession, timeline: TimelineRow, by: MovedTimeline['by']): void {
    const { timelineId } = timeline;
    const isNew =
      this.#timelines.some((it) => it.timelineId === timelineId) ||
      this.#moved.some((it) => it.timeline.timelineId === timelineId) ||
      this.#turns.some((it) => it.timelineId === timelineId);
    if (isNew) throw new MustWait();
    this.#moved.push({ timeline, by });
  }

  ownTurn(_session: StoredSession, turnId: string): TurnRow | undefined {
    const added = this.#own.get(turnId);
    if (added !== undefined || this.#known.row === undefined) return added;
    const need = { need: 'turn', turnId } as const;
    if (this.#known.reads.has(need)) return this.#known.reads.get<'turn'>(need);
    this.assumed.add(need);
    return undefined;
  }

  addTurn(session: StoredSession, turn: TurnRow): boolean {
    if (turn.origin === null) {
      if (this.ownTurn(session, turn.turnId) !== undefined) return false;
      this.#own.set(turn.turnId, turn);
    }
    this.#turns.push(turn);
    if (turn.checkpoint !== null) {
      const mark = { turn, createdAt: this.now, variables: variablesOf(session) };
      this.#marks.set(turn.checkpoint, mark);
    }
    return true;
  }

  #unlessCleared(turn: TurnRow): TurnRow {
    const { checkpoint } = turn;
    const isCleared = checkpoint !== null && this.#cleared.includes(checkpoint);
    return isCleared ? { ...turn, checkpoint: null } : turn;
  }

  mark(_session: StoredSession, n: number): MarkRow | undefined {
    if (this.#cleared.includes(n)) return undefined;
    const made = this.#marks.get(n);
    return made ?? (this.#read({ need: 'mark', n }) as MarkRow | undefined);
  }

  oldestMark({ checkpointFloor }: StoredSession): number | undefined {
    const { isComplete, numbers } = this.#knownMarks(checkpointFloor);
    const isLeft = (n: number): boolean => n > checkpointFloor && !this.#cleared.includes(n);
    const stored = numbers.find(isLeft);
    if (stored !== undefined) return stored;
    if (!isComplete) {
      this.lacks.add({ need: 'marks', above: checkpointFloor, limit: marksAtATime });
      return undefined;
    }
    return [...this.#marks.keys()].find(isLeft);
  }

  /** Numbers of the marks that are stored, from the lowest that can be of use. */
  #knownMarks(floor: number): KnownMarks {
    if (this.#known.row === undefined) return { above: 0, numbers: [], isComplete: true };
    for (const [{ above, limit }, numbers] of this.#known.reads.of('marks')) {
      const isComplete = numbers.length < limit;
      const isOfUse = isComplete || numbers.some((n) => n > floor);
      if (above <= floor && isOfUse) return { above, numbers, isComplete };
    }
    return { above: floor, numbers: [], isComplete: false };
  }

  clearMark(_session: StoredSession, n: number): void {
    this.#cleared.push(n);
  }

  lastTurn(_session: StoredSession, timelineId: string): TurnRow | undefined {
    const added = this.#turns.findLast((turn) => turn.timelineId === timelineId);
    if (added !== undefined) return added;
    const last = this.#read({ need: 'lastTurn', timelineId }) as TurnRow | undefined;
    const by = this.#moved.find(({ timeline }) => timeline.timelineId === timelineId)?.by;
    if (last === undefined || by === undefined) return last;
    const { cost, seq, tokens } = last;
    return { ...last, seq: seq + by.seq, tokens: tokens + by.tokens, cost: cost + by.cost };
  }

  #written(at: VariablesVersion): { readonly json: string } | undefined {
    return this.#variables.findLast(
      ({ entry }) =>
        entry.at.timelineId === at.timelineId &&
        entry.at.position === at.position &&
        entry.at.revision === at.revision,
    );
  }

  variables(at: VariablesVersion): VariablesRow | undefined {
    const written = this.#written(at);
    if (written !== undefined) return { at, json: written.json };
    return this.#read({ need: 'variables', at }) as VariablesRow | undefined;
  }

  addVariables(session: StoredSession, entry: VariablesEntry): void {
    let json = entry.value;
    if (!entry.whole) {
      const at = variablesOf(session);
      const before = at === null ? undefined : this.variables(at);
      if (at === null || before === undefined) return;
      json = foldVariables([entry, { at, whole: true, value: before.json }]);
    }
    this.#variables.push({ entry, json });
    for (const [n, mark] of this.#marks) {
      const isAt = entry.at.position === mark.turn.seq * 2;
      if (isAt && mark.turn.timelineId === entry.at.timelineId) {
        this.#marks.set(n, { ...mark, variables: entry.at });
      }
    }
  }

  record(_session: StoredSession, kind: string, key: string): RecordRow | undefined {
    const change = this.#records.get(recordId(kind, key));
    if (change !== undefined) return change.to?.record;
    const need = { need: 'record', kind, key } as const;
    if (kind !== 'operation' || this.#known.row === undefined || this.#known.reads.has(need)) {
      return this.#read(need) as RecordRow | undefined;
    }
    this.assumed.add(need);
    return undefined;
  }

  labelled(_session: StoredSession, kind: string, label: string): RecordRow | undefined {
    for (const { kind: changed, to } of this.#records.values()) {
      if (changed === kind && to?.record.label === label) return to.record;
    }
    const found = this.#read({ need: 'labelled', kind, label }) as RecordRow | undefined;
    const replaced = found !== undefined && this.#records.has(recordId(kind, found.key));
    return replaced ? undefined : found;
  }

  oldestCheckpoint(_session: StoredSession): string | undefined {
    const changes = [...this.#records.values()].filter(({ kind }) => kind === 'checkpoint');
    const dropped = changes.filter(({ to }) => to === null).length;
    // Enough that those dropped already leave one over.
    const limit = Math.ceil((dropped + 1) / oldestAtATime) * oldestAtATime;
    const found = this.#read({ need: 'oldest', limit }) as readonly string[] | undefined;
    const left = found?.find((key) => !this.#records.has(recordId('checkpoint', key)));
    if (left !== undefined) return left;
    const put = changes.filter(({ to }) => to?.record.label === null);
    return put.map(({ key }) => key).sort()[0];
  }

  countRecords(session: StoredSession, kind: string): number {
    let count = (this.#read({ need: 'count', kind }) as number | undefined) ?? 0;
    for (const { key, kind: changed, to } of this.#records.values()) {
      if (changed !== kind) continue;
      const was = this.#stored(session, kind, key) !== undefined;
      if (was && to === null) count -= 1;
      if (!was && to !== null) count += 1;
    }
    return count;
  }

  #stored(_session: StoredSession, kind: string, key: string): RecordRow | undefined {
    return this.#read({ need: 'record', kind, key }) as RecordRow | undefined;
  }

  putRecord(_session: StoredSession, record: RecordRow): void {
    const need = { need: 'record', kind: record.kind, key: record.key } as const;
    const looked = this.#known.row === undefined || this.#known.reads.has(need);
    const mustBeNew = record.kind === 'operation' && !looked;
    this.#change(record.kind, record.key, { record, mustBeNew });
  }

  deleteRecord(_session: StoredSession, kind: string, key: string): void {
    this.#change(kind, key, null);
  }

  #change(kind: string, key: string, to: RecordToWrite | null): void {
    const id = recordId(kind, key);
    this.#recordLog.push({ id, before: this.#records.get(id) });
    this.#records.set(id, { kind, key, to });
  }

  addJournal(_session: StoredSession, entry: JournalEntry): void {
    this.#journal.push(entry);
  }
}

interface KnownMarks {
  /** Numbers up to this one are not among them. */
  readonly above: number;
  readonly numbers: readonly number[];
  /** Whether there are no more. */
  readonly isComplete: boolean;
}

interface RecordChange {
  readonly kind: string;
  readonly key: string;
  readonly to: RecordToWrite | null;
}

/** Longer texts, and more records, are not remembered from one commit to the next. */
const keptLength = 8_192;
const keptRecords = 8;

/** Records that are looked at again and again: metadata, leases, drafts. Others are written once. */
const writtenOnce: ReadonlySet<string> = new Set(['operation', 'checkpoint', 'move']);

function isKept({ kind, record }: { kind: string; record: RecordRow | undefined }): boolean {
  return !writtenOnce.has(kind) && (record === undefined || record.value.length <= keptLength);
}

function recordId(kind: string, key: string): string {
  return `${kind}\n${key}`;
}
