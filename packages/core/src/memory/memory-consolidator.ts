import type { JsonObject } from '../session/json.ts';
import type { SessionState } from '../session/state.ts';
import type { MemoryEntry } from './memory-entry.ts';

/**
 * Makes lasting memory out of a session that has ended. It is called at least once for each such session, also if
 * the process dies in between, and never while another process is known to be at it.
 */
export interface MemoryConsolidator {
  /**
   * @param entries the session's whole history in order of seq, read page by page as it is asked for
   * @returns what is to be kept with the session; or nothing, if the consolidator keeps it elsewhere
   */
  consolidate(
    entries: AsyncIterable<MemoryEntry>,
    run: ConsolidationRun,
  ): Promise<ConsolidationResult | undefined>;
  /** Milliseconds without a sign of life of this process after which another one takes up a run; 15,000. */
  readonly leaseMs?: number | undefined;
  /** Milliseconds after which a run is given up as failed; 600,000. */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds until a failed run is tried again; twice as long each time, up to a day; 10,000. */
  readonly retryMs?: number | undefined;
}

/** One run over one session. */
export interface ConsolidationRun {
  /** The session as it ended. */
  readonly session: SessionState;
  /** From 1; runs that died count. */
  readonly attempt: number;
  /** Higher with each run of the session: what a store of your own compares to refuse a run that was overtaken. */
  readonly token: number;
  /** Aborted when the run was overtaken, took too long, or the process is about to end: nothing of it counts then. */
  readonly signal: AbortSignal;
}

/** What a run came to. */
export interface ConsolidationResult {
  /** At most 100; those of an earlier run of the session are replaced. */
  readonly memories?: readonly MemoryInput[] | undefined;
  /** Counts of your own, up to 32. */
  readonly statistics?: Readonly<Record<string, number>> | undefined;
}

/** A memory as a consolidator gives it: at most 8 KiB in all. */
export interface MemoryInput {
  readonly content: string;
  /** The turns that it comes from, both included. */
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly metadata?: JsonObject | undefined;
}
