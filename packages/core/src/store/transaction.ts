import { timelineId } from '../session/ids.ts';
import type { SessionStatus } from '../session/state.ts';
import type { RecordGuard, RecordWrite } from './port.ts';
import type {
  MarkRow,
  Owner,
  ParentLink,
  RecordRow,
  SessionHead,
  TimelineRow,
  TurnRow,
  VariablesRow,
  VariablesVersion,
} from './rows.ts';

/**
 * What a store's engine does inside one transaction, for engines that answer at once (memory, SQLite).
 * `commitIn` and `createIn` hold the rules; a store that builds on them has only these rows to move.
 * Everything that can be refused is refused before the first write.
 */
export interface StoreTransaction {
  /** Milliseconds of the store's clock, the same throughout the transaction. */
  readonly now: number;

  /** A session, tombstones included. */
  session(sessionId: string): StoredSession | undefined;
  /** Adds a session and gives it its key. */
  addSession(session: StoredSession): StoredSession;
  putSession(session: StoredSession): void;
  /** How many sessions of the owner have not ended and are no branches; counts up to `limit`. */
  countOpen(owner: Owner, limit: number): number;
  /** Nano-dollars that all sessions of the owner have spent, deleted ones too. */
  spent(owner: Owner): number;

  timeline(session: StoredSession, timelineId: string): TimelineRow | undefined;
  addTimeline(session: StoredSession, timeline: TimelineRow): void;
  /** Puts a row in place of a timeline's row, and adds to the seqs and sums of its turns. */
  moveTimeline(
    session: StoredSession,
    timeline: TimelineRow,
    by: { readonly seq: number; readonly tokens: number; readonly cost: number },
  ): void;

  /** The turn with this id that the session itself wrote. */
  ownTurn(session: StoredSession, turnId: string): TurnRow | undefined;
  /** The automatic checkpoint with this number. */
  mark(session: StoredSession, n: number): MarkRow | undefined;
  /** The lowest number of an automatic checkpoint above the session's floor. */
  oldestMark(session: StoredSession): number | undefined;
  clearMark(session: StoredSession, n: number): void;
  /** False, and nothing is written, if the session wrote a turn with this id before. Copies always fit. */
  addTurn(session: StoredSession, turn: TurnRow): boolean;
  lastTurn(session: StoredSession, timelineId: string): TurnRow | undefined;

  variables(at: VariablesVersion): VariablesRow | undefined;
  addVariables(session: StoredSession, entry: VariablesEntry): void;

  record(session: StoredSession, kind: string, key: string): RecordRow | undefined;
  labelled(session: StoredSession, kind: string, label: string): RecordRow | undefined;
  /** The key of the oldest record of a checkpoint without a label. */
  oldestCheckpoint(session: StoredSession): string | undefined;
  countRecords(session: StoredSession, kind: string): number;
  putRecord(session: StoredSession, record: RecordRow): void;
  deleteRecord(session: StoredSession, kind: string, key: string): void;

  addJournal(session: StoredSession, entry: JournalEntry): void;
}

/** A session as an engine keeps it. */
export interface StoredSession {
  /** The engine's own key. */
  readonly key: number;
  readonly sessionId: string;
  readonly tenantId: string | null;
  readonly userId: string;
  /** As it was last written; whether the time has run out is told by `statusAt`. */
  readonly status: SessionStatus | 'deleted';
  /** The number of the current timeline. */
  readonly timeline: number;
  readonly seq: number;
  readonly turnId: string | null;
  readonly tokens: number;
  readonly cost: number;
  readonly lifetimeTurns: number;
  readonly lifetimeTokens: number;
  readonly lifetimeCost: number;
  readonly variablesTimeline: string | null;
  readonly variablesPosition: number;
  readonly variablesRevision: number;
  /** Patches since the last whole copy of the variables. */
  readonly variablesDepth: number;
  readonly revision: number;
  readonly moves: number;
  readonly timelines: number;
  /** How many checkpoints were ever made, and how many there are. */
  readonly checkpoints: number;
  readonly checkpointsHeld: number;
  /** Automatic checkpoints up to this number are gone. */
  readonly checkpointFloor: number;
  readonly parentSessionId: string | null;
  readonly branchName: string | null;
  readonly forkSeq: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt: number | null;
  readonly closedReason: string | null;
  /** When the sweep has to look at it, at the latest; null is never. Not moved by each change: see `lookAgain`. */
  readonly dueAt: number | null;
}

/** One version of a timeline's variables: all of them, or what changed since the version before. */
export interface VariablesEntry {
  readonly at: VariablesVersion;
  readonly whole: boolean;
  /** The variables, or `{ set, unset }`; JSON. */
  readonly value: string;
}

export interface JournalEntry {
  readonly revision: number;
  /** Several things of one change are numbered from 0. */
  readonly part: number;
  readonly type: string;
  readonly at: number;
  readonly data: string | null;
}

/** The status at a time: a session whose time has run out is expired, swept or not. */
export function statusAt(session: StoredSession, now: number): SessionStatus | 'deleted' {
  const open = session.status === 'active' || session.status === 'suspended';
  return open && session.expiresAt !== null && session.expiresAt <= now
    ? 'expired'
    : session.status;
}

/**
 * When the sweep has to look at a session. Each change moves `expiresAt` on and leaves an earlier `dueAt` alone,
 * so that a turn does not cost a write to the index of due times; the sweep that comes too early moves it.
 */
export function lookAgain(session: StoredSession): number | null {
  const { dueAt, expiresAt, status } = session;
  if (status === 'deleted') return dueAt;
  if (status === 'closed' || status === 'expired' || expiresAt === null) return null;
  return dueAt === null || expiresAt < dueAt ? expiresAt : dueAt;
}

/** Whether a session is there for this owner; without an owner, for anybody. */
export function isVisible(
  session: StoredSession | undefined,
  owner: Owner | undefined,
): session is StoredSession {
  return (
    session !== undefined &&
    session.status !== 'deleted' &&
    (owner === undefined ||
      (session.userId === owner.userId && session.tenantId === owner.tenantId))
  );
}

export function variablesOf(session: StoredSession): VariablesVersion | null {
  return session.variablesTimeline === null
    ? null
    : {
        timelineId: session.variablesTimeline,
        position: session.variablesPosition,
        revision: session.variablesRevision,
      };
}

export function toSessionHead(session: StoredSession, now: number): SessionHead {
  const parent: ParentLink | null =
    session.parentSessionId === null
      ? null
      : {
          sessionId: session.parentSessionId,
          branchName: session.branchName ?? '',
          forkSeq: session.forkSeq ?? 0,
        };
  return {
    sessionId: session.sessionId,
    owner: { tenantId: session.tenantId, userId: session.userId },
    status: statusAt(session, now) as SessionStatus,
    head: {
      timelineId: timelineId(session.sessionId, session.timeline),
      seq: session.seq,
      turnId: session.turnId,
    },
    tokens: session.tokens,
    cost: session.cost,
    lifetime: {
      turns: session.lifetimeTurns,
      tokens: session.lifetimeTokens,
      cost: session.lifetimeCost,
    },
    variables: variablesOf(session),
    revision: session.revision,
    moves: session.moves,
    timelines: session.timelines,
    checkpoints: session.checkpoints,
    parent,
    createdAt: session.createdAt,
    updatedAt: session.updatedAt,
    expiresAt: session.expiresAt,
    closedReason: session.closedReason,
  };
}

/** Whether a record stands as a guard says. */
export function meetsGuard(
  record: RecordRow | undefined,
  guard: RecordGuard,
  now: number,
): boolean {
  if ((record?.version ?? null) === guard.version) return true;
  return guard.due === true && record !== undefined && record.dueAt !== null && record.dueAt <= now;
}

/** Puts a record as `write` says, on top of the one that was there. */
export function nextRecord(
  write: Exclude<RecordWrite, { readonly delete: true }>,
  before: RecordRow | undefined,
  now: number,
): RecordRow {
  const due = write.dueInMs ?? null;
  return {
    kind: write.kind,
    key: write.key,
    version: (before?.version ?? 0) + (write.sameVersion === true && before !== undefined ? 0 : 1),
    value: write.value,
    label: write.label ?? null,
    dueAt: due === null ? null : now + due,
    createdAt: before?.createdAt ?? now,
  };
}

/** Writes and deletes records, one after another. */
export function writeRecords(
  tx: StoreTransaction,
  session: StoredSession,
  writes: readonly RecordWrite[],
): void {
  for (const write of writes) {
    if ('delete' in write) {
      tx.deleteRecord(session, write.kind, write.key);
    } else {
      const before = tx.record(session, write.kind, write.key);
      tx.putRecord(session, nextRecord(write, before, tx.now));
    }
  }
}
