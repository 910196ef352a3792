import type { Need } from './optimistic-needs.ts';
import type { SessionWrites } from './optimistic-transaction.ts';
import type { StoredSession } from './transaction.ts';

/** A session and the answers to needs, all of one moment. */
export interface LoadedSession {
  readonly row: StoredSession | undefined;
  readonly version: number;
  /** Answers in the order of the needs; see `Found`. */
  readonly found: readonly unknown[];
}

/** How a flush ended. What throws instead was certainly not written. */
export type FlushOutcome =
  /** All is written; `version` is the session's now. */
  | { readonly outcome: 'done'; readonly key: number; readonly version: number }
  /**
   * Nothing is: the session, or its owner's row, is at another version, or its time has run out. Or one of the
   * `unseen` turns is there, if the engine does not tell that apart.
   */
  | { readonly outcome: 'moved' }
  /** Nothing is: the session, a turn or a record that was taken to be new is there. */
  | { readonly outcome: 'taken' }
  /** The answer was lost: all of it is written, or nothing is, or it may still come. */
  | { readonly outcome: 'unknown'; readonly error: unknown };

/** One read and one write of an engine. */
export interface OptimisticAccess {
  /** Milliseconds of the store's clock, as well as it is known. */
  now(): number;
  /** Reads a session with all that is asked for, as of one moment. @param until on `performance.now()` */
  load(sessionId: string, needs: readonly Need[], until: number): Promise<LoadedSession>;
  /** Writes all or nothing. */
  flush(writes: SessionWrites, until: number): Promise<FlushOutcome>;
}

/** What an engine behind a network does for the rules. Its errors are SessionErrors. */
export interface OptimisticEngine extends OptimisticAccess {
  /**
   * Runs `work` while nobody else writes to the session, for one whose races were lost too often. A flush ends
   * it: what comes after needs a new one. Absent if the engine has no such thing.
   */
  exclusively?<T>(until: number, work: (access: OptimisticAccess) => Promise<T>): Promise<T>;
}
