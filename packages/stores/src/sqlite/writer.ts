import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { SessionStoreUnavailableError } from '@lexigram/ai-session';
import { isBusy, isEngineFault, toSessionError } from './faults.ts';

/** One piece of work that waits for a transaction. */
interface Job {
  readonly work: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** How long a group may run before what is left of it waits for the next one. */
const groupMs = 8;
/** How long this process may go on committing before it lets others have the lock. */
const turnMs = 20;

/**
 * The one writer of a store in this process. What was asked for in the same tick shares one transaction, and so
 * one write to the disk; each is answered when the transaction is durable. A transaction begins and ends within
 * one tick. While another process holds the lock it waits asynchronously, up to `timeoutMs`.
 */
export class Writer {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #timeoutMs: number;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #rollback: StatementSync;
  #queue: Job[] = [];
  #running: Promise<void> | null = null;
  /** Since when commits followed one another without a pause. */
  #busySince = 0;
  #lastCommit = 0;

  constructor(db: DatabaseSync, path: string, timeoutMs: number) {
    this.#db = db;
    this.#path = path;
    this.#timeoutMs = timeoutMs;
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#rollback = db.prepare('ROLLBACK');
  }

  /** Runs `work` inside a transaction; what it throws undoes it alone. */
  run<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ work, resolve: resolve as (value: unknown) => void, reject });
      if (this.#running === null) this.#running = this.#drain();
    });
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  async #drain(): Promise<void> {
    await immediate();
    while (this.#queue.length > 0) {
      const jobs = this.#queue;
      this.#queue = [];
      await this.#runGroup(jobs);
      if (this.#queue.length > 0) await this.#giveWay();
    }
    this.#running = null;
  }

  /** Between two groups: lets the event loop turn, and now and then another process have the lock. */
  async #giveWay(): Promise<void> {
    if (this.#lastCommit - this.#busySince < turnMs) return immediate();
    await delay(1 + jitter(2));
    this.#busySince = performance.now();
  }

  async #runGroup(jobs: readonly Job[]): Promise<void> {
    try {
      await this.#lock();
    } catch (error) {
      for (const job of jobs) job.reject(error);
      return;
    }
    this.#inside(jobs);
  }

  /** Runs jobs in the transaction that has just begun, ends it, and answers them. */
  #inside(jobs: readonly Job[]): void {
    const started = performance.now();
    if (started - this.#lastCommit > turnMs) this.#busySince = started;
    const values: unknown[] = [];
    let failing: Job | undefined;
    try {
      for (const job of jobs) {
        failing = job;
        values.push(job.work());
        if (performance.now() - started > groupMs) break;
      }
      failing = undefined;
      this.#commit.run();
    } catch (error) {
      this.#undo();
      this.#afterFailure(jobs, failing, error);
      return;
    }
    this.#lastCommit = performance.now();
    for (const [i, value] of values.entries()) (jobs[i] as Job).resolve(value);
    if (values.length < jobs.length) this.#queue.unshift(...jobs.slice(values.length));
  }

  #undo(): void {
    // A full disk has ended the transaction already.
    if (this.#db.isTransaction) this.#rollback.run();
  }

  /** A job that failed fails alone; a fault of the engine, or of the commit, is everybody's. */
  #afterFailure(jobs: readonly Job[], failing: Job | undefined, error: unknown): void {
    const fault = toSessionError(error, this.#path);
    if (failing === undefined || isEngineFault(error)) {
      for (const job of jobs) job.reject(fault);
    } else {
      failing.reject(fault);
      this.#queue.unshift(...jobs.filter((job) => job !== failing));
    }
  }

  async #lock(): Promise<void> {
    const deadline = performance.now() + this.#timeoutMs;
    for (let attempt = 0; ; attempt++) {
      try {
        this.#begin.run();
        return;
      } catch (error) {
        if (!isBusy(error)) throw toSessionError(error, this.#path);
        if (performance.now() >= deadline) {
          throw new SessionStoreUnavailableError(
            'locked',
            `'${this.#path}' was locked by others for ${this.#timeoutMs} ms; try again`,
            { cause: error },
          );
        }
      }
      await delay(jitter(Math.min(1 + attempt, 10)));
    }
  }
}

function immediate(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** A random part of `ms`, so that waiting processes do not knock at the same moment. */
function jitter(ms: number): number {
  return (crypto.getRandomValues(new Uint8Array(1))[0] as number) * (ms / 255);
}
