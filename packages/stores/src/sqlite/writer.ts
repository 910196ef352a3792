import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { SessionStoreUnavailableError } from '@lexigram/ai-session';
import { isBusy, isEngineFault, rollBack, toSessionError } from './faults.ts';
import { pause } from './pause.ts';

/** One piece of work that waits for a transaction. */
interface Job {
  readonly work: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** When it gives up waiting for the lock. */
  readonly deadline: number;
}

/** What is told when a transaction has begun, when it is durable, and when it was undone. */
export interface WriteScope {
  begin(): void;
  commit(): void;
  rollback(): void;
}

/** How long a group may run before what is left of it waits for the next one. */
const groupMs = 20;
/** How long this process may go on committing before it lets others have the lock. */
const turnMs = 20;

/**
 * The one writer of a store in this process. What was asked for in the same turn of the event loop shares one
 * transaction, and so one write to the disk; each is answered when the transaction is durable. A transaction
 * begins and ends without a pause. While another process holds the lock it waits asynchronously, up to
 * `timeoutMs`.
 */
export class Writer {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #timeoutMs: number;
  readonly #scope: WriteScope;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;

  #queue: Job[] = [];
  /** Whether a group is on its way, or waits for the lock. */
  #busy = false;
  #idle: (() => void)[] = [];
  /** Since when commits followed one another without a pause, and when the last one was. */
  #busySince = 0;
  #lastCommit = 0;

  constructor(db: DatabaseSync, path: string, timeoutMs: number, scope: WriteScope) {
    this.#db = db;
    this.#path = path;
    this.#timeoutMs = timeoutMs;
    this.#scope = scope;
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
  }

  /** Runs `work` inside a transaction; what it throws undoes it alone. */
  run<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const deadline = performance.now() + this.#timeoutMs;
      this.#queue.push({ work, resolve: resolve as (value: unknown) => void, reject, deadline });
      if (this.#busy) return;
      this.#busy = true;
      setImmediate(this.#runGroup);
    });
  }

  /** Resolves when nothing waits any more. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#busy) this.#idle.push(resolve);
      else resolve();
    });
  }

  readonly #runGroup = (): void => {
    try {
      this.#begin.run();
    } catch (error) {
      void this.#waitForLock(error);
      return;
    }
    this.#inside();
  };

  /** Runs what waits in the transaction that has just begun, ends it, and answers. */
  #inside(): void {
    const jobs = this.#queue;
    this.#queue = [];
    const started = performance.now();
    if (started < this.#busySince || started - this.#lastCommit > turnMs) this.#busySince = started;
    const values: unknown[] = [];
    let failing: Job | undefined;
    try {
      this.#scope.begin();
      for (const job of jobs) {
        failing = job;
        values.push(job.work());
        if (jobs.length > 1 && performance.now() - started > groupMs) break;
      }
      failing = undefined;
      this.#commit.run();
      this.#lastCommit = performance.now();
      this.#scope.commit();
      if (values.length < jobs.length) this.#queue = jobs.slice(values.length);
      for (let i = 0; i < values.length; i++) (jobs[i] as Job).resolve(values[i]);
    } catch (error) {
      this.#undo();
      this.#afterFailure(jobs, failing, error);
    }
    this.#next();
  }

  #undo(): void {
    rollBack(this.#db);
    this.#scope.rollback();
  }

  /** A job that failed fails alone; a fault of the engine, or of the commit, is everybody's. */
  #afterFailure(jobs: readonly Job[], failing: Job | undefined, error: unknown): void {
    const fault = toSessionError(error, this.#path);
    if (failing === undefined || isEngineFault(error)) {
      for (const job of jobs) job.reject(fault);
    } else {
      failing.reject(fault);
      this.#queue = jobs.filter((job) => job !== failing);
    }
  }

  /** Goes on with what came meanwhile; now and then only after others had a chance to take the lock. */
  #next(): void {
    // What the answers set off asks again within this turn, or in the one that the immediate waits for.
    queueMicrotask(() => {
      if (this.#queue.length === 0) {
        this.#busy = false;
        for (const resolve of this.#idle.splice(0)) resolve();
      } else if (this.#lastCommit - this.#busySince < turnMs) {
        setImmediate(this.#runGroup);
      } else {
        this.#busySince = Number.POSITIVE_INFINITY;
        void pause(2).then(this.#runGroup);
      }
    });
  }

  /** Knocks again and again, with pauses in which the event loop turns; each job gives up at its own time. */
  async #waitForLock(first: unknown): Promise<void> {
    let error = first;
    for (let attempt = 1; isBusy(error); attempt++) {
      const now = performance.now();
      const late = this.#queue.filter((job) => job.deadline <= now);
      if (late.length > 0) {
        this.#queue = this.#queue.filter((job) => job.deadline > now);
        const message = `'${this.#path}' was locked by others for ${this.#timeoutMs} ms; try again`;
        const fault = new SessionStoreUnavailableError('locked', message, { cause: error });
        for (const job of late) job.reject(fault);
      }
      if (this.#queue.length === 0) {
        this.#next();
        return;
      }
      await pause(attempt);
      try {
        this.#begin.run();
        this.#inside();
        return;
      } catch (again) {
        error = again;
      }
    }
    const fault = toSessionError(error, this.#path);
    for (const job of this.#queue.splice(0)) job.reject(fault);
    this.#next();
  }
}
