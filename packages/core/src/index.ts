export type { CostInput, CostReport } from './analytics/cost-report.ts';
export type { ModelPrice, PricedUse, Prices } from './analytics/model-price.ts';
export { openPrices, type PriceOptions } from './analytics/prices.ts';
export { type ScopedSessionAnalytics, SessionAnalytics } from './analytics/session-analytics.ts';
export type { SessionReport } from './analytics/session-report.ts';
export type { UnpricedUse } from './analytics/unpriced.ts';
export type {
  ReportGrouping,
  ReportOptions,
  UsageGroup,
  UsageReport,
  UsageTotals,
} from './analytics/usage-report.ts';
export type { UserReport, UserReportOptions } from './analytics/user-report.ts';
export { BranchManager, type ForkOptions } from './branching/branch-manager.ts';
export type { Merged, MergeOptions } from './branching/merge.ts';
export {
  AppendMerge,
  type MergeResult,
  type MergeSide,
  type MergeSides,
  type MergeStrategy,
  type MergeTurn,
  type SideTurnsOptions,
} from './branching/merge-strategy.ts';
export type { MergeConflict, OnConflict } from './branching/merge-variables.ts';
export { SelectiveMerge } from './branching/selective-merge.ts';
export { type Summarise, SummaryMerge } from './branching/summary-merge.ts';
export type {
  TreeCheckpoint,
  TreeItem,
  TreeSession,
  TreeTimeline,
} from './branching/tree.ts';
export type { SessionCheckpoint } from './checkpointing/checkpoint.ts';
export { CheckpointManager, type CheckpointOptions } from './checkpointing/checkpoint-manager.ts';
export type { DiffSide, HistoryDiff } from './checkpointing/diff.ts';
export type { BackgroundFailure, FailureReport } from './cleanup/report-failure.ts';
export {
  type CleanupOptions,
  SessionCleanupScheduler,
} from './cleanup/session-cleanup-scheduler.ts';
export type { SweepFailure, SweepReport } from './cleanup/sweep.ts';
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
export type { FaultReport, ListenerFault } from './events/listeners.ts';
export {
  type ScopedSessionEvents,
  SessionEvents,
  type SubscribeOptions,
} from './events/session-events.ts';
export type { SessionSubscription } from './events/subscription.ts';
export type {
  Agent,
  AgentAnswer,
  AgentContext,
  AgentOptions,
  AgentReply,
  AgentTurn,
  ErrorPolicy,
  GroupMember,
  Spent,
  ToolAnswer,
} from './groups/agent.ts';
export type { Viewer } from './groups/agent-history.ts';
export type { GroupEvent, GroupResult } from './groups/group-event.ts';
export type { AskRule, Intention } from './groups/group-parts.ts';
export {
  type GroupOptions,
  GroupSession,
  type GroupSessionOptions,
  type GroupStream,
  type ResumeOptions,
  type RunOptions,
  type ViewerOptions,
} from './groups/group-session.ts';
export type { GroupView } from './groups/group-view.ts';
export {
  createModelAgent,
  type ModelAgentOptions,
  type ModelAnswer,
  type ModelRequest,
  type ModelStream,
  type ModelTool,
  type ModelUsage,
} from './groups/model-agent.ts';
export { createModelSelector, type ModelSelectorOptions } from './groups/model-selector.ts';
export type { Decision, Question, ResumeInput } from './groups/question.ts';
export {
  RoleIsolation,
  type RoleIsolationOptions,
  type RoleSight,
  type VisibilityRule,
} from './groups/role-isolation.ts';
export type { GroupEndReason, LastStep } from './groups/run-state.ts';
export { StopCondition, stop } from './groups/stop-condition.ts';
export type { FallbackReason, Selection, TurnManager } from './groups/turn-manager.ts';
export { LlmDirectedTurnManager, type SelectSpeaker } from './groups/turn-managers/llm-directed.ts';
export { PriorityTurnManager } from './groups/turn-managers/priority.ts';
export { RoundRobinTurnManager } from './groups/turn-managers/round-robin.ts';
export { SwarmTurnManager } from './groups/turn-managers/swarm.ts';
export { TopicBasedTurnManager } from './groups/turn-managers/topic-based.ts';
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
export type { Consolidation } from './memory/consolidation.ts';
export type { ConsolidationCounts } from './memory/consolidation-queue.ts';
export type { Memory } from './memory/memory.ts';
export type {
  ConsolidationResult,
  ConsolidationRun,
  MemoryConsolidator,
  MemoryInput,
} from './memory/memory-consolidator.ts';
export type { MemoryEntry } from './memory/memory-entry.ts';
export type { MemoryParts } from './memory/memory-work.ts';
export { type ScopedSessionMemory, SessionMemory } from './memory/session-memory.ts';
export {
  InMemoryWorkingMemory,
  type InMemoryWorkingMemoryOptions,
  type WorkingMemory,
} from './memory/working-memory.ts';
export {
  type AnySession,
  type CheckpointCreatedEvent,
  type CheckpointDeletedEvent,
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
  type MetadataChangedEvent,
  newSessionId,
  newTurnId,
  type Page,
  type PageOptions,
  SessionCapacityError,
  type SessionChangedEvent,
  type SessionCheckpointCreatedHook,
  SessionClosedError,
  type SessionClosedEvent,
  type SessionClosedHook,
  SessionConfigError,
  SessionConflictError,
  SessionCorruptDataError,
  type SessionCreatedEvent,
  type SessionDeletedEvent,
  SessionError,
  type SessionErrorCode,
  type SessionEvent,
  type SessionEventMap,
  type SessionEventType,
  SessionExpiredError,
  SessionInputError,
  SessionLeaseError,
  SessionLimitError,
  type SessionMovedEvent,
  SessionNotFoundError,
  type SessionPosition,
  type SessionResumedEvent,
  type SessionStartedHook,
  type SessionState,
  SessionStateMachine,
  type SessionStateWithTurns,
  type SessionStatus,
  SessionStoreUnavailableError,
  type SessionSuspendedEvent,
  SessionTransitionError,
  type SessionTurn,
  type SessionTypes,
  SessionUnsupportedError,
  type StateDelta,
  StateDiff,
  type SubscriptionResetEvent,
  sessionEventTypes,
  type ToolCall,
  type TurnAddedEvent,
  type TurnInput,
  type TurnOrigin,
  type TurnRole,
  type UnavailableReason,
  type Usage,
  type VariablesChangedEvent,
} from './model.ts';
export type { AutoCompaction } from './projection/auto-compact.ts';
export { Bm25ContextPruner } from './projection/bm25-pruner.ts';
export { estimateTokens, type TokenCounter } from './projection/count-tokens.ts';
export { extractiveSummariser } from './projection/extractive-summariser.ts';
export type {
  AnthropicBlock,
  AnthropicMessage,
  AnthropicSource,
} from './projection/formats/anthropic.ts';
export type {
  ModelAnswerPart,
  ModelMessageData,
  ModelPart,
  ModelResultPart,
} from './projection/formats/model-message.ts';
export type {
  OpenAiChatMessage,
  OpenAiChatPart,
  OpenAiToolCall,
} from './projection/formats/openai-chat.ts';
export type {
  OpenAiResponsesItem,
  OpenAiResponsesPart,
} from './projection/formats/openai-responses.ts';
export type { ProjectionFormat, ProjectionFormats } from './projection/formats.ts';
export type { OmitReason } from './projection/group-turns.ts';
export { HybridContextPruner, type HybridOptions } from './projection/hybrid-pruner.ts';
export type { WindowSettings } from './projection/lexical/score-windows.ts';
export type { ProjectedMessage } from './projection/message.ts';
export { modelSummariser, type SummaryModel } from './projection/model-summariser.ts';
export type { Overlay } from './projection/overlay.ts';
export type { CompactOptions } from './projection/parse-compaction.ts';
export type { ProjectOptions, SummaryOption } from './projection/parse-options.ts';
export type { Omitted, ProjectionParts } from './projection/plan.ts';
export { type ProjectTurnsOptions, project } from './projection/project.ts';
export type { Projection } from './projection/projection.ts';
export type {
  ContextPruner,
  PruneBudget,
  SyncContextPruner,
  TurnWeight,
} from './projection/pruner.ts';
export { RecencyContextPruner } from './projection/recency-pruner.ts';
export { RelevanceContextPruner } from './projection/relevance-pruner.ts';
export type { Embedder, EmbeddingModelLike } from './projection/semantic/embedder.ts';
export { energeticEmbedder } from './projection/semantic/energetic-embedder.ts';
export { SemanticContextPruner, type SemanticOptions } from './projection/semantic-pruner.ts';
export { type ProjectSessionOptions, SessionProjection } from './projection/session-projection.ts';
export type { SummariseInput, Summariser } from './projection/summarise.ts';
export { InMemorySessionStore, type InMemorySessionStoreOptions } from './store/memory.ts';
export type { SessionStore } from './store/port.ts';
export { fingerprint } from './telemetry/fingerprint.ts';
export type { SessionLogger } from './telemetry/logger.ts';
export type { ContentCapture } from './telemetry/messages.ts';
export type { TelemetryOptions } from './telemetry/open-telemetry.ts';
