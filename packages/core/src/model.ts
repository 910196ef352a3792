/** Nouns, errors and pure rules: nothing here needs Node, so that browsers and clients share them. */

export { type StateDelta, StateDiff } from './checkpointing/state-diff.ts';
export {
  CheckpointNotFoundError,
  type ConfigIssue,
  type ConflictHead,
  type ConflictReason,
  isSessionError,
  SessionCapacityError,
  SessionClosedError,
  SessionConfigError,
  SessionConflictError,
  SessionCorruptDataError,
  SessionError,
  type SessionErrorCode,
  SessionExpiredError,
  SessionInputError,
  SessionLeaseError,
  SessionLimitError,
  SessionNotFoundError,
  SessionStoreUnavailableError,
  SessionTransitionError,
  SessionUnsupportedError,
  type UnavailableReason,
} from './errors.ts';
export {
  type CheckpointCreatedEvent,
  type CheckpointDeletedEvent,
  type MetadataChangedEvent,
  type SessionChangedEvent,
  type SessionCheckpointCreatedHook,
  type SessionClosedEvent,
  type SessionClosedHook,
  type SessionCreatedEvent,
  type SessionDeletedEvent,
  type SessionEvent,
  type SessionEventMap,
  type SessionEventType,
  type SessionMovedEvent,
  type SessionResumedEvent,
  type SessionStartedHook,
  type SessionSuspendedEvent,
  type SubscriptionResetEvent,
  sessionEventTypes,
  type TurnAddedEvent,
  type VariablesChangedEvent,
} from './events/session-event.ts';
export { isSessionId, newSessionId, newTurnId } from './session/ids.ts';
export type { JsonObject, JsonValue } from './session/json.ts';
export { limits } from './session/limits.ts';
export type { Page, PageOptions } from './session/page.ts';
export type {
  AnySession,
  SessionPosition,
  SessionState,
  SessionStateWithTurns,
  SessionStatus,
  SessionTypes,
} from './session/state.ts';
export { SessionStateMachine } from './session/state-machine.ts';
export type {
  ContentPart,
  SessionTurn,
  ToolCall,
  TurnInput,
  TurnOrigin,
  TurnRole,
  Usage,
} from './session/turn.ts';
