export { SessionAnalytics, type SessionReport } from './analytics/session-analytics.ts';
export { BranchManager, type ForkOptions } from './branching/branch-manager.ts';
export type { SessionCheckpoint } from './checkpointing/checkpoint.ts';
export { CheckpointManager, type CheckpointOptions } from './checkpointing/checkpoint-manager.ts';
export type { CheckpointDiff, DiffSide } from './checkpointing/diff.ts';
export { type LoadConfigOptions, loadSessionConfig } from './config/load-session-config.ts';
export {
  type CacheConfig,
  type DatabaseConfig,
  parseSessionConfig,
  type SessionConfig,
  type SessionConfigInput,
} from './config/session-config.ts';
export {
  type ConfigEnvironment,
  type EnvironmentIssue,
  validateForEnvironment,
} from './config/validate-for-environment.ts';
export {
  type ContextToken,
  type ScopedSessionContext,
  SessionContext,
} from './context/session-context.ts';
export {
  createSessions,
  type ScopedSessions,
  type SessionParts,
  type Sessions,
} from './create-sessions.ts';
export type { AddedTurn, AddedTurns, AddTurnOptions, Appended } from './manager/append.ts';
export type { CreateSessionInput } from './manager/create.ts';
export type { OperationOptions, SessionSchemas } from './manager/engine.ts';
export type { ListSessionsQuery } from './manager/list.ts';
export {
  type PatchOptions,
  type RewindTarget,
  type ScopedSessionManager,
  SessionManager,
  type TurnsOptions,
} from './manager/session-manager.ts';
export {
  type AnySession,
  CheckpointNotFoundError,
  type ConfigIssue,
  type ConflictHead,
  type ConflictReason,
  type ContentPart,
  isSessionError,
  isSessionId,
  type JsonObject,
  type JsonValue,
  limits,
  newSessionId,
  newTurnId,
  type Page,
  type PageOptions,
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
  type SessionPosition,
  type SessionState,
  SessionStateMachine,
  type SessionStateWithTurns,
  type SessionStatus,
  SessionStoreUnavailableError,
  SessionTransitionError,
  type SessionTurn,
  type SessionTypes,
  SessionUnsupportedError,
  type StateDelta,
  StateDiff,
  type ToolCall,
  type TurnInput,
  type TurnOrigin,
  type TurnRole,
  type UnavailableReason,
  type Usage,
} from './model.ts';
export { InMemorySessionStore, type InMemorySessionStoreOptions } from './store/memory.ts';
export type { SessionStore } from './store/port.ts';
