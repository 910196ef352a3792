/** For those who write a store: the port, and the rules for engines with synchronous transactions. */
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
export { deletedBy } from './store/operations.ts';
export type {
  Append,
  AutomaticCheckpoints,
  CapKind,
  Commit,
  CommitResult,
  Committed,
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
  OperationKey,
  Pointer,
  RecordGuard,
  RecordWrite,
  Refusal,
  SessionStore,
  StatusChange,
  TurnPage,
  VariablesPatch,
} from './store/port.ts';
export type {
  ChangeType,
  DueItem,
  FeedItem,
  Head,
  LineageEntry,
  MarkRow,
  MoveKind,
  NewTimeline,
  Owner,
  ParentLink,
  Point,
  RecordRow,
  Segment,
  SessionHead,
  SessionRow,
  TimelineRow,
  TurnRow,
  VariablesRow,
  VariablesVersion,
} from './store/rows.ts';
export {
  isVisible,
  type JournalEntry,
  lookAgain,
  type StoredSession,
  type StoreTransaction,
  statusAt,
  toSessionHead,
  type VariablesEntry,
} from './store/transaction.ts';
export { foldVariables, variablesInterval } from './store/variables.ts';
