import type { SessionPosition } from '../session/state.ts';
import type { SessionTurn } from '../session/turn.ts';
import type { MoveKind } from '../store/rows.ts';

/** What every event tells. Frozen. */
interface Event<Type extends string> {
  readonly type: Type;
  readonly sessionId: string;
  readonly tenantId: string | null;
  readonly userId: string;
  /** The session's revision after the change; what one change brings shares it. */
  readonly revision: number;
  /** ISO 8601 UTC; of a turn that its caller dated, that time. */
  readonly at: string;
  /** Opaque, at most 256 characters: `subscribe({ after })` goes on after this event. The same one is the same event. */
  readonly cursor: string;
}

/** A session was made; the last three are null unless it is a branch. */
export interface SessionCreatedEvent extends Event<'created'> {
  readonly parentSessionId: string | null;
  readonly branchName: string | null;
  readonly forkSeq: number | null;
}

/** A turn was added to the history, one event for each of a batch. */
export interface TurnAddedEvent extends Event<'turn'> {
  readonly turn: SessionTurn;
}

/** Variables were patched on their own. A patch that came with turns has no event but theirs. */
export interface VariablesChangedEvent extends Event<'variables'> {}

export interface MetadataChangedEvent extends Event<'metadata'> {}

export interface SessionSuspendedEvent extends Event<'suspended'> {}

export interface SessionResumedEvent extends Event<'resumed'> {}

/** A session ended: it was closed, or ran out and was swept. */
export interface SessionClosedEvent extends Event<'closed'> {
  readonly status: 'closed' | 'expired';
  /** As given to `close`, or `turn_limit`; null for none. */
  readonly reason: string | null;
}

/** A session was deleted. The last event of a session, and all that is told of it from then on. */
export interface SessionDeletedEvent extends Event<'deleted'> {}

export interface CheckpointCreatedEvent extends Event<'checkpoint'> {
  readonly checkpointId: string;
  /** The number of turns at which it stands. */
  readonly seq: number;
  readonly automatic: boolean;
}

export interface CheckpointDeletedEvent extends Event<'checkpoint_deleted'> {
  readonly checkpointId: string;
}

/** The session's pointer swung: the history is another one now. */
export interface SessionMovedEvent extends Event<'move'> {
  readonly move: MoveKind;
  /** Where the session stands after it. */
  readonly head: SessionPosition;
}

/** A change that has no event of its own. */
export interface SessionChangedEvent extends Event<'changed'> {}

/** The events by their types. */
export interface SessionEventMap {
  readonly created: SessionCreatedEvent;
  readonly turn: TurnAddedEvent;
  readonly variables: VariablesChangedEvent;
  readonly metadata: MetadataChangedEvent;
  readonly suspended: SessionSuspendedEvent;
  readonly resumed: SessionResumedEvent;
  readonly closed: SessionClosedEvent;
  readonly deleted: SessionDeletedEvent;
  readonly checkpoint: CheckpointCreatedEvent;
  readonly checkpoint_deleted: CheckpointDeletedEvent;
  readonly move: SessionMovedEvent;
  readonly changed: SessionChangedEvent;
}

export type SessionEventType = keyof SessionEventMap;

export type SessionEvent = SessionEventMap[SessionEventType];

/**
 * Something between the cursor and here cannot be told any more: it outlived its window, or the store no longer has
 * what the cursor names. Read anew what you keep of these sessions; the subscription then goes on.
 */
export interface SubscriptionResetEvent {
  readonly type: 'reset';
  /** Null for a subscription to many sessions. */
  readonly sessionId: string | null;
  /** The revision up to which the session has to be read anew; null for a subscription to many sessions. */
  readonly revision: number | null;
  /** Goes on after it. */
  readonly cursor: string;
}

/** A listener for `on('created', …)`. */
export type SessionStartedHook = (event: SessionCreatedEvent) => unknown;
/** A listener for `on('checkpoint', …)`. */
export type SessionCheckpointCreatedHook = (event: CheckpointCreatedEvent) => unknown;
/** A listener for `on('closed', …)`. */
export type SessionClosedHook = (event: SessionClosedEvent) => unknown;

const types: { readonly [Type in SessionEventType]: true } = {
  created: true,
  turn: true,
  variables: true,
  metadata: true,
  suspended: true,
  resumed: true,
  closed: true,
  deleted: true,
  checkpoint: true,
  checkpoint_deleted: true,
  move: true,
  changed: true,
};

/** The types of all events. */
export const sessionEventTypes: readonly SessionEventType[] = Object.freeze(
  Object.keys(types) as SessionEventType[],
);
