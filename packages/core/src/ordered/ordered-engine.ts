/** Rows of text in order of their keys, by code units or by the bytes of UTF-8. A key is never longer than 1,900 of those. */
export interface OrderedRows {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
  delete(key: string): void;
  /** The rows from key `from` on and before `to`, as they were when the reading began, whatever is written since. */
  scan(
    from: string,
    to: string,
    backwards?: boolean,
  ): Iterable<readonly [key: string, value: string]>;
}

/**
 * An engine that keeps rows in order of their keys, and what `OrderedSessionStore` asks of it. Work is synchronous
 * and leaves nothing behind but what it writes: an engine that reads asynchronously may give it up where it lacks
 * something, undo what it wrote, and run it again.
 *
 * What fails in the engine is rejected with an error of this package: SessionStoreUnavailableError if it cannot
 * answer, SessionCorruptDataError if what it holds does not fit together.
 */
export interface OrderedEngine {
  /** Runs work over all rows as of one moment. */
  read<T>(work: (rows: OrderedRows) => T): Promise<T>;
  /**
   * Runs work with no other write between, and answers once what it wrote is durable. All of it is, or nothing. Work
   * that throws is undone, and the call rejected with what it threw – but not before the writes that it saw are
   * durable: it may have thrown for what they wrote.
   */
  write<T>(work: (rows: OrderedRows) => T): Promise<T>;
  /** Lets go of everything once the writes under way are done. Called once; nothing is asked afterwards. */
  close(): Promise<void>;
}
