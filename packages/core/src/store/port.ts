import type { SessionStatus } from '../session/state.ts';
import type {
  Change,
  ChangeType,
  DueItem,
  FeedItem,
  Head,
  MoveKind,
  NewTimeline,
  Owner,
  ParentLink,
  Point,
  RecordRow,
  ReportGroup,
  ReportPage,
  Segment,
  SessionHead,
  SessionRow,
  TimelineRow,
  TurnRow,
  VariablesRow,
  VariablesVersion,
} from './rows.ts';

/**
 * Where sessions live. One verb writes (`commit`), beside it a session is made and erased; all else reads.
 * Each write is atomic on one session and durable when its promise resolves. Reads are in pages.
 *
 * A store judges guards in this order: unknown or foreign → repeat → ended or suspended → expected → cap.
 * A refusal is a value and writes nothing. What throws: SessionStoreUnavailableError when the store cannot
 * answer, SessionCorruptDataError when what it holds does not fit together. Times are milliseconds of the
 * store's clock, money is nano-dollars, JSON travels as text and is never looked into, with the exceptions
 * that `variables` (its top-level keys), `list` (the keys of the metadata) and `report` (model, agent, usage, cost
 * and names of tools of a turn's body: see `usageOfTurn`) name.
 */
export interface SessionStore {
  /** Makes a session with its first timeline. Refused if the id exists or existed within the feed's window. */
  create(session: NewSession): Promise<CommitResult>;
  /** The one writing verb. */
  commit(sessionId: string, commit: Commit): Promise<CommitResult>;
  /** Deletes a session but for what `keep` reaches, a batch at a time; a tombstone without content stays. */
  erase(sessionId: string, request: EraseRequest): Promise<EraseResult>;
  /** Drops up to `limit` rows that have outlived their window: tombstones, journal, operations. */
  collect(request: { readonly before: number; readonly limit: number }): Promise<number>;
  /** Lets go of the engine once the writes under way are done. What comes later is refused. */
  close(): Promise<void>;

  /** A session as it is now, or null if it is unknown, deleted, or not `owner`'s. */
  session(sessionId: string, owner?: Owner): Promise<SessionRow | null>;
  /** Timelines by id, in the order asked for; null where there is none. */
  timelines(ids: readonly string[]): Promise<readonly (TimelineRow | null)[]>;
  /** A session's timelines whose base is this very point, in order of their numbers. */
  startingAt(
    sessionId: string,
    base: { readonly timelineId: string; readonly seq: number },
    page: NumberPage,
  ): Promise<readonly TimelineRow[]>;
  /** The turns of a history's segments, at most `limit`, in order of seq. */
  turns(segments: readonly Segment[], page: TurnPage): Promise<readonly TurnRow[]>;
  /** All turns with this id that lie on timelines of these sessions, own ones and merged copies. */
  findTurns(turnId: string, sessionIds: readonly string[]): Promise<readonly TurnRow[]>;
  /** The variables at a version, or the newest before it on the same timeline; null if there is none. */
  variables(at: VariablesVersion): Promise<VariablesRow | null>;
  /** One record. Automatic checkpoints, which are marks on turns, are read as records too. */
  record(sessionId: string, kind: string, key: string): Promise<RecordRow | null>;
  /** Records of one kind in order of their keys. */
  records(sessionId: string, kind: string, page: KeyPage): Promise<readonly RecordRow[]>;
  /** Sessions, newest created first. */
  list(query: ListQuery): Promise<readonly SessionRow[]>;
  /**
   * What waits for the sweep: sessions that ran out, deleted ones not yet erased, records past their time.
   * None means that nothing waits.
   */
  due(page: DuePage): Promise<readonly DueItem[]>;
  /** What happened to a session after a revision, in order: its turns and its journal, merged. */
  feed(sessionId: string, page: FeedPage): Promise<readonly FeedItem[]>;
  /**
   * What turns used, in groups. Each turn counts once, where it was first written, whoever reads it now: copies
   * do not, and neither does it end with a delete. As new as the last write that was answered.
   */
  report(query: ReportQuery): Promise<ReportPage>;
  /**
   * What happened in all sessions, or in those of one user, after a position: the changes of each session in the
   * order of its revisions. Whatever becomes visible later has a later position than all that were given out.
   */
  changes(page: ChangesPage): Promise<Changes>;
  /**
   * Calls `wake` soon after something was committed, by this process or by another: for this one's commits at once,
   * for others' within a second. It may call without need. The answer stops it; so does `close`. Keeps no process
   * alive.
   */
  watch(wake: (wake: Wake) => void): () => void;
}

export interface NewTurn {
  readonly turnId: string;
  /** Whether a caller chose the id, so that it can be a repeat. */
  readonly chosen: boolean;
  readonly body: string;
  readonly tokens: number;
  readonly cost: number;
  /** Null for the store's time. */
  readonly at: number | null;
  /** Set on a merged copy: where the turn was first written. */
  readonly origin?: { readonly timelineId: string; readonly seq: number };
}

/** One atomic change. It is seen (a revision, a time, an entry of the feed) if it appends to the current timeline or has an `event`. */
export interface Commit {
  readonly guards?: Guards;
  /** The same operation again is answered with the first one's outcome. */
  readonly operation?: OperationKey;
  /** Opens a timeline; `timelineId` must be the session's next. Unless `pointer` goes there it stays out of sight. */
  readonly timeline?: NewTimeline;
  /**
   * Gives a timeline that stayed out of sight another base, lineage and record of merges: a row in place of its row,
   * with the current timeline as its previous one. Its turns go along, seqs and sums moved on from the new base.
   */
  readonly rebase?: NewTimeline;
  /** Swings the pointer to the end of a timeline, as it is after the rest of the commit. */
  readonly pointer?: Pointer;
  readonly append?: Append;
  readonly patch?: VariablesPatch;
  readonly status?: StatusChange;
  readonly checkpoint?: NewCheckpoint;
  readonly records?: readonly RecordWrite[];
  /** Written too if this commit ends the session, by its status or by its cap. */
  readonly onEnd?: readonly RecordWrite[];
  readonly event?: { readonly type: ChangeType; readonly data?: string };
  /** When the session runs out, counted from this change; left as it is if absent. */
  readonly expiry?: Expiry;
}

export interface Guards {
  /** A session of anybody else is unknown. */
  readonly owner?: Owner | undefined;
  /** The statuses in which this is allowed; all if absent. A deleted session is unknown. */
  readonly status?: readonly SessionStatus[];
  /** Also what is left of a deleted session: only records are written then. */
  readonly tombstone?: boolean;
  readonly head?: Head | undefined;
  readonly seq?: number | undefined;
  readonly revision?: number | undefined;
  readonly moves?: number;
  readonly records?: readonly RecordGuard[];
  /** At most this many records of a kind, the ones written here counted. */
  readonly counts?: readonly { readonly kind: string; readonly max: number }[];
}

/** A record is at this version (null: absent); with `due`, it may also be past its time. A lease's version is its fencing token. */
export interface RecordGuard {
  readonly kind: string;
  readonly key: string;
  readonly version: number | null;
  readonly due?: boolean;
}

export interface OperationKey {
  readonly id: string;
  /** What the operation was asked to do, to tell another request under the same id. */
  readonly digest: string;
  readonly keepMs: number;
  /** What the caller wants to be told again beside the outcome. */
  readonly note?: string;
}

export interface Append {
  /** A timeline opened out of sight; the current one if absent. */
  readonly timelineId?: string;
  readonly turns: readonly NewTurn[];
  /** `close`: the turn that fills the cap ends the session with reason `turn_limit`. */
  readonly cap?: {
    readonly turns: number;
    readonly written: number;
    readonly onFull: 'close' | 'refuse';
  };
  /** Nano-dollars; judged with the caps. Refused is what comes after the one that spent it. */
  readonly budget?: Budget;
  readonly checkpoints?: AutomaticCheckpoints;
}

/** A checkpoint at each multiple of `every`, kept as a mark on the turn; at most `max` of a session's checkpoints stay. */
export interface AutomaticCheckpoints {
  readonly every: number;
  readonly max: number;
}

/** What may be spent; null for any amount. */
export interface Budget {
  /** By the session itself: what was first written in it. */
  readonly session: number | null;
  /** By all sessions of the owner together, deleted ones and branches too. A store says how exactly it holds. */
  readonly owner: number | null;
}

export interface Pointer {
  readonly move: MoveKind;
  /** The end of the timeline that becomes the current one. */
  readonly to: Point;
  /** Judged on the history there; one that is full ends the session, as an append does. */
  readonly cap?: Append['cap'];
  /** What of its turns was first written here out of sight: it counts as written from now on. */
  readonly wrote?: { readonly turns: number; readonly tokens: number; readonly cost: number };
}

export interface VariablesPatch {
  /** Top-level keys and their JSON. */
  readonly set: ReadonlyMap<string, string>;
  readonly unset: readonly string[];
  readonly maxBytes: number;
  readonly maxKeys: number;
}

export interface StatusChange {
  readonly to: 'active' | 'suspended' | 'closed' | 'expired';
  readonly reason?: string;
}

/** A checkpoint of the head as it is after the rest of the commit. */
export interface NewCheckpoint {
  readonly label: string | null;
  /** JSON, or null. */
  readonly metadata: string | null;
  readonly max: number;
}

/** Writes or deletes a record. A label is unique among the records of its kind in a session. */
export type RecordWrite =
  | {
      readonly kind: string;
      readonly key: string;
      readonly value: string;
      readonly label?: string;
      /** From the store's now; null or absent is never. */
      readonly dueInMs?: number | null;
      /** Keeps the version: a heartbeat under the same fencing token. */
      readonly sameVersion?: boolean;
    }
  | { readonly kind: string; readonly key: string; readonly delete: true };

export interface Expiry {
  /** Milliseconds from now; null is never. */
  readonly ttlMs: number | null;
  /** Milliseconds from the session's creation; null is never. */
  readonly maxAgeMs: number | null;
}

export interface NewSession {
  readonly sessionId: string;
  readonly owner: Owner;
  readonly timeline: NewTimeline;
  readonly parent: ParentLink | null;
  readonly metadata: string;
  /** The variables it starts with, as JSON of an object; null for none. */
  readonly variables: string | null;
  readonly turns: readonly NewTurn[];
  /** As for an append: the turn that fills the cap ends the session. */
  readonly cap?: Append['cap'];
  readonly checkpoints?: AutomaticCheckpoints;
  readonly records?: readonly RecordWrite[];
  readonly expiry: Expiry;
  /** At most this many sessions of the owner that have not ended and are no branches; null for any number. */
  readonly ownerCap: number | null;
  readonly operation?: OperationKey;
}

export type CommitResult = Committed | Refusal;

/** What a commit did. A repeated operation is answered with the first one's, `replayed` set. */
export interface Committed {
  readonly refused?: undefined;
  readonly session: SessionHead;
  /** Seq and time of each appended turn. */
  readonly turns: readonly { readonly seq: number; readonly at: number }[];
  /** The metadata then, of a repeated operation. */
  readonly metadata?: string;
  /** The note of a repeated operation. */
  readonly note?: string;
  /** Records of the checkpoints made here. */
  readonly checkpoints: readonly RecordRow[];
  readonly replayed: boolean;
}

/** Why nothing was written, with what a message needs. */
export type Refusal =
  | { readonly refused: 'unknown' }
  | { readonly refused: 'exists' }
  | { readonly refused: 'operation'; readonly session: SessionHead }
  /** Some of the batch's ids are taken: `turns` has the stored turn for each, or null. */
  | {
      readonly refused: 'repeat';
      readonly session: SessionHead;
      readonly turns: readonly (TurnRow | null)[];
    }
  | { readonly refused: 'status'; readonly session: SessionHead }
  | { readonly refused: 'expected'; readonly what: Expected; readonly session: SessionHead }
  /** The same label stands at this record already. */
  | { readonly refused: 'label'; readonly session: SessionHead; readonly record: RecordRow }
  | {
      readonly refused: 'cap';
      readonly cap: CapKind;
      readonly max: number;
      readonly actual: number;
      readonly session: SessionHead | null;
    };

export type Expected = 'head' | 'seq' | 'revision' | 'moves' | 'record' | 'timeline';
export type CapKind =
  | 'turns'
  | 'written'
  | 'owner'
  | 'sessionCost'
  | 'ownerCost'
  | 'checkpoints'
  | 'count'
  | 'variablesBytes'
  | 'variablesKeys'
  | 'total';

export interface EraseRequest {
  readonly owner?: Owner | undefined;
  /** In place of the session: one of its timelines that stayed out of sight. The session must be there. */
  readonly staged?: StagedTimeline;
  /** Absent: only the tombstone is set. */
  readonly keep?: readonly KeptTimeline[];
  /** Remembered by the tombstone. */
  readonly operation?: OperationKey;
  /** Turns deleted at a time. */
  readonly limit: number;
}

/** What of a deleted session's timeline living branches still read. */
export interface KeptTimeline {
  readonly timelineId: string;
  /** The last turn that is reached; less than the first one if none is. */
  readonly seq: number;
  /** The last version of variables that is reached, or null. */
  readonly variables: { readonly position: number; readonly revision: number } | null;
}

/** A timeline opened out of sight, and the record that says so; it goes with the timeline's last turn. */
export interface StagedTimeline {
  readonly timelineId: string;
  /** Not found if the record stands otherwise: then the timeline came into use, or somebody else is at it. */
  readonly guard: RecordGuard;
}

export interface EraseResult {
  /** Whether there was such a session, or its tombstone with work left. */
  readonly found: boolean;
  /** Whether nothing is left to delete. */
  readonly done: boolean;
  /** The session that this one branched off, which holds a record of it. */
  readonly parent: string | null;
  /** If it was this call that set the tombstone: the session as it was, at the revision and time of the tombstone. */
  readonly buried: SessionHead | null;
}

export interface DuePage {
  readonly limit: number;
  /** Only records of this kind, in the order of their times. */
  readonly kind?: string;
  /** With `kind`: also those whose time is up within so many milliseconds. */
  readonly withinMs?: number;
}

export interface TurnPage {
  readonly limit: number;
  readonly order: 'asc' | 'desc';
}

export interface NumberPage {
  /** Numbers after this one; from the first if absent. */
  readonly after?: number;
  readonly limit: number;
}

export interface KeyPage {
  /** Keys after this one, or before it in descending order. */
  readonly after?: string;
  readonly limit: number;
  readonly order?: 'asc' | 'desc';
}

export interface ListQuery {
  readonly userId?: string;
  /** With `userId`; absent: of any tenant. */
  readonly tenantId?: string | null;
  readonly status?: SessionStatus;
  /** Top-level keys that must have exactly this value. */
  readonly metadata?: ReadonlyMap<string, string | number | boolean | null>;
  readonly limit: number;
  /** The last session of the page before. */
  readonly after?: { readonly createdAt: number; readonly sessionId: string };
}

export interface ChangesPage {
  readonly userId?: string;
  /** With `userId`; absent: of any tenant. */
  readonly tenantId?: string | null;
  /** A position that this store gave out. Null reads nothing, and answers where the changes end now. */
  readonly after: string | null;
  /** What shares one position is never cut in two: a page may go past it to the end of the last one. */
  readonly limit: number;
}

/**
 * A page of changes. Positions are 1 to 40 of 0–9, A–Z, a–z, `.` and `-`. Of two of one store the later one is the
 * longer, or if they are equally long the greater by its code units.
 */
export interface Changes {
  readonly items: readonly Change[];
  /** The position after which to read on. */
  readonly next: string;
  /** Whether this is all that there is now. A page that is not the last may be short, or have no items. */
  readonly done: boolean;
  /**
   * Something after `after` was dropped by `collect`, or this store never gave it out. There are no items then, and
   * `next` is where it goes on: nothing that is there after it is missing.
   */
  readonly reset: boolean;
}

/** Something may have been committed. */
export interface Wake {
  /** All before this position, and all that changed at it, has been told of before; null if that is not known. */
  readonly from: string | null;
  /** The sessions that may have changed after it; null for any. */
  readonly sessions: readonly { readonly sessionId: string; readonly owner: Owner }[] | null;
}

export interface FeedPage {
  /** Changes after this revision. */
  readonly after: number;
  /** A change is never cut in two: a page may go past it to the end of the last one. */
  readonly limit: number;
}

export interface ReportQuery {
  readonly groupBy: 'day' | 'model' | 'agent' | 'user' | 'tool';
  /** Days since 1970, UTC, of the turns' times: the first one, and the one after the last. */
  readonly from?: number;
  readonly to?: number;
  readonly userId?: string;
  /** Null: of users without a tenant; absent: of any. */
  readonly tenantId?: string | null;
  /** Only groups in which a turn has no price. */
  readonly unpriced?: boolean;
  readonly limit: number;
  /** The last group of the page before. */
  readonly after?: Pick<ReportGroup, 'key' | 'tenantId'>;
}
