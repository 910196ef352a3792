import type { SessionStatus } from '../session/state.ts';

export interface Owner {
  readonly tenantId: string | null;
  readonly userId: string;
}

/** The end of a session's current history. */
export interface Head {
  readonly timelineId: string;
  readonly seq: number;
  readonly turnId: string | null;
}

/** A place in a family's turns: the timeline is the one that physically holds the turn. */
export interface Point extends Head {
  /** Running totals of the history up to here. */
  readonly tokens: number;
  readonly cost: number;
  /** The variables here, or null if none were ever set. */
  readonly variables: VariablesVersion | null;
}

/**
 * A version of the variables. `position` is 2 × seq for a patch that came with a turn and one more for a patch
 * on its own after it; `revision` is the session's. Versions of a timeline are ordered by both.
 */
export interface VariablesVersion {
  readonly timelineId: string;
  readonly position: number;
  readonly revision: number;
}

export interface VariablesRow {
  readonly at: VariablesVersion;
  readonly json: string;
}

/** A row of turns that one timeline holds: seqs `from` to `to`, both included. */
export interface Segment {
  readonly timelineId: string;
  readonly from: number;
  readonly to: number;
}

/**
 * A part of a history from seq `from` up to the next entry: turns that `timelineId` holds (`level` 0), or a
 * chunk of entries of the level below that stands in that timeline's row.
 */
export interface LineageEntry {
  readonly from: number;
  readonly timelineId: string;
  readonly level: number;
}

/** A timeline as it was opened; nothing of it ever changes. Its own turns follow its base. */
export interface NewTimeline {
  readonly timelineId: string;
  /** Null if it starts empty. */
  readonly base: Point | null;
  /** The history up to the base. */
  readonly lineage: readonly LineageEntry[];
  /** Chunks of lineage sealed when it was opened, by level. */
  readonly chunks: Readonly<Record<number, readonly LineageEntry[]>>;
  /** The family's first timeline, where seq 0 lies. */
  readonly root: string;
  /** What merges took in that no timeline before this one tells of, oldest first; absent if they took nothing. */
  readonly merged?: readonly MergedPoint[];
}

/** What a merge took in: the head of another session, and what of it became the first turns of this timeline. */
export interface MergedPoint {
  readonly sessionId: string;
  /** That session's head as it was taken in, with its variables. */
  readonly point: Point;
  /** How many turns after the base it brought. */
  readonly turns: number;
  /** Which of them, from 1, are new turns that stand for turns of that session; their bodies say for which. */
  readonly standing: readonly number[];
}

export interface TimelineRow extends NewTimeline {
  /** The timeline that was current when this one was opened: what an undo goes back to. */
  readonly previous: string | null;
}

export interface TurnRow {
  readonly timelineId: string;
  readonly seq: number;
  readonly turnId: string;
  readonly body: string;
  readonly at: number;
  /** Null on a timeline that was filled out of sight. */
  readonly revision: number | null;
  /** Running totals of the history, this turn included. */
  readonly tokens: number;
  readonly cost: number;
  readonly origin: { readonly timelineId: string; readonly seq: number } | null;
  /** The number of the automatic checkpoint that stands at this turn, or null. */
  readonly checkpoint: number | null;
}

/** An automatic checkpoint: a mark on the turn at which it stands. */
export interface MarkRow {
  readonly turn: TurnRow;
  readonly createdAt: number;
  /** Right after the turn, before later patches that stand alone. */
  readonly variables: VariablesVersion | null;
}

/** A session but for its metadata: what a commit answers. */
export interface SessionHead {
  readonly sessionId: string;
  readonly owner: Owner;
  /** As of the store's clock: `expired` also before the sweep came by. */
  readonly status: SessionStatus;
  readonly head: Head;
  /** Running totals of the current history. */
  readonly tokens: number;
  readonly cost: number;
  /** What was first written in this session, on all its timelines. */
  readonly lifetime: { readonly turns: number; readonly tokens: number; readonly cost: number };
  readonly variables: VariablesVersion | null;
  readonly revision: number;
  /** How often the pointer swung, how many timelines were opened, how many checkpoints made. */
  readonly moves: number;
  readonly timelines: number;
  readonly checkpoints: number;
  readonly parent: ParentLink | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Null is never. */
  readonly expiresAt: number | null;
  readonly closedReason: string | null;
}

export interface ParentLink {
  readonly sessionId: string;
  readonly branchName: string;
  readonly forkSeq: number;
}

export interface SessionRow extends SessionHead {
  /** JSON: the record of kind `metadata` with the empty key. */
  readonly metadata: string;
}

export interface RecordRow {
  readonly kind: string;
  readonly key: string;
  /** From 1, up by one with each write. */
  readonly version: number;
  readonly value: string;
  readonly label: string | null;
  /** When the sweep should look at it; null is never. */
  readonly dueAt: number | null;
  readonly createdAt: number;
}

export type MoveKind =
  | 'restore'
  | 'rewind'
  | 'edit'
  | 'regenerate'
  | 'select'
  | 'merge'
  | 'undo'
  | 'redo';

export type ChangeType =
  | 'created'
  | 'turns'
  | 'variables'
  | 'metadata'
  | 'suspended'
  | 'resumed'
  | 'closed'
  | 'expired'
  | 'deleted'
  | 'checkpoint'
  | 'checkpoint_deleted'
  | 'move';

/** What turns used, added up: exact up to 2^53, past it the nearest number. */
export interface UsageSums {
  readonly turns: number;
  /** Calls of tools. */
  readonly calls: number;
  /** Turns that used tokens and have no cost. */
  readonly unpriced: number;
  /** As the turns tell: `totalTokens`. */
  readonly tokens: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly reasoningTokens: number;
  /** Nano-dollars. */
  readonly cost: number;
}

export interface ReportGroup {
  /** The day like `2026-03-01`, the model, agent, user or tool; null for turns without one. */
  readonly key: string | null;
  /** A user's tenant; null in other groups. */
  readonly tenantId: string | null;
  readonly sums: UsageSums;
}

export interface ReportPage {
  /** In order of the bytes of their keys, then of their tenants; null first. */
  readonly groups: readonly ReportGroup[];
  /** Of all groups, those of other pages too. Each turn once, also if it stands in several groups. */
  readonly total: UsageSums;
}

export type DueItem =
  | { readonly due: 'expiry'; readonly sessionId: string }
  | { readonly due: 'erase'; readonly sessionId: string }
  | { readonly due: 'record'; readonly sessionId: string; readonly record: RecordRow };

export type FeedItem =
  | {
      readonly revision: number;
      readonly type: 'turn';
      readonly at: number;
      readonly turn: TurnRow;
    }
  | {
      readonly revision: number;
      readonly type: ChangeType;
      readonly at: number;
      readonly data: string | null;
    };

/** An item of a session's feed, and where it stands among the changes of all sessions. */
export type Change = FeedItem & {
  /** Items of one commit may share it. */
  readonly position: string;
  readonly sessionId: string;
  readonly owner: Owner;
};
