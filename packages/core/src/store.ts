/** For those who write a store: the port, and the rules for engines with synchronous transactions. */
export { maskAddress } from './config/mask-address.ts';
export type { OrderedEngine, OrderedRows } from './ordered/ordered-engine.ts';
export {
  OrderedSessionStore,
  type OrderedSessionStoreOptions,
} from './ordered/ordered-session-store.ts';
export { parseTimelineId } from './session/ids.ts';
export {
  checkpointKey,
  markRecord,
  mergeCheckpoints,
  numbersOf,
  turnItems,
} from './store/checkpoints.ts';
export { commitIn } from './store/commit-in.ts';
export { createIn } from './store/create-in.ts';
export { reportOf } from './store/memory-report.ts';
export { deletedBy } from './store/operations.ts';
export { OptimisticCommits, type OptimisticOptions } from './store/optimistic-commits.ts';
export type {
  FlushOutcome,
  LoadedSession,
  OptimisticAccess,
  OptimisticEngine,
} from './store/optimistic-engine.ts';
export type { Found, Need } from './store/optimistic-needs.ts';
export type {
  MovedTimeline,
  RecordToWrite,
  SessionWrites,
} from './store/optimistic-transaction.ts';
export type {
  Append,
  AutomaticCheckpoints,
  Budget,
  CapKind,
  Changes,
  ChangesPage,
  Commit,
  CommitResult,
  Committed,
  DuePage,
  EraseRequest,
  EraseResult,
  Expected,
  Expiry,
  FeedPage,
  Guards,
  KeptTimeline,
  KeyPage,
  ListQuery,
  NewCheckpoint,
  NewSession,
  NewTurn,
  NumberPage,
  OperationKey,
  Pointer,
  RecordGuard,
  RecordWrite,
  Refusal,
  ReportQuery,
  SessionStore,
  StagedTimeline,
  StatusChange,
  TurnPage,
  VariablesPatch,
  Wake,
} from './store/port.ts';
export type {
  Change,
  ChangeType,
  DueItem,
  FeedItem,
  Head,
  LineageEntry,
  MarkRow,
  MergedPoint,
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
  UsageSums,
  VariablesRow,
  VariablesVersion,
} from './store/rows.ts';
export {
  isVisible,
  type JournalEntry,
  lookAgain,
  meetsGuard,
  type StoredSession,
  type StoreTransaction,
  statusAt,
  toSessionHead,
  type VariablesEntry,
} from './store/transaction.ts';
export {
  dayOf,
  dayText,
  noUsage,
  type TurnUsage,
  usageOfTurn,
  usageSums,
} from './store/usage.ts';
export { UsageLedger, type UsageRow } from './store/usage-ledger.ts';
export { foldVariables, variablesInterval } from './store/variables.ts';
