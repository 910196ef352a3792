import { randomInt } from 'node:crypto';
import { SessionInputError } from '../errors.ts';
import { type Engine, type ServiceOptions, toEngine } from '../manager/engine.ts';
import { owedRecord } from '../memory/consolidation.ts';
import type { SessionMemory } from '../memory/session-memory.ts';
import { kindOf } from '../session/ids.ts';
import { type FailureReport, warnOfFailure } from './report-failure.ts';
import { Sweep, type SweepReport } from './sweep.ts';

/** What else a scheduler can be given. */
export interface CleanupOptions {
  /** Milliseconds since 1970, to tell how old a row is; the time of this process if left out. */
  readonly clock?: (() => number) | undefined;
  /** The memory for which sessions that expire owe a consolidation, and whose it runs; none if left out. */
  readonly memory?: SessionMemory | undefined;
  /** Takes what fails in the background; a warning of the process if left out. */
  readonly onFailure?: FailureReport | undefined;
}

/** How far an interval may be off, in per cent, so that processes started together do not sweep together. */
const jitter = 20;

/**
 * The sweep. It marks sessions whose time has run out and tells of it, once each; finishes erases that were cut
 * short; drops what was begun and never used, and rows past their window; purges expired sessions after the
 * configuration's `retention`. Promises hold without it: a session whose time has run out refuses writes, swept
 * or not. Any number of sweepers may run over one store: what one does the others leave.
 */
export class SessionCleanupScheduler {
  readonly #engine: Engine;
  readonly #clock: () => number;
  readonly #report: FailureReport;
  readonly #memory: SessionMemory | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #running = new Set<Promise<unknown>>();
  #consolidating: Promise<void> | undefined;
  /** Counts up with each stop: sweeps that began before end early. */
  #stops = 0;

  constructor(over: ServiceOptions, options: CleanupOptions = {}) {
    this.#engine = toEngine(over);
    const { clock = Date.now, onFailure = warnOfFailure } = options;
    for (const [name, part] of Object.entries({ clock, onFailure })) {
      if (typeof part === 'function') continue;
      throw new SessionInputError(`options.${name}`, `expected a function, got ${kindOf(part)}`);
    }
    this.#clock = clock;
    this.#report = onFailure;
    this.#memory = options.memory;
    if (this.#memory?.consolidates === true) this.#engine.onEnd = [owedRecord()];
  }

  /** Whether it sweeps by itself. */
  get started(): boolean {
    return this.#timer !== undefined;
  }

  /**
   * Sweeps from now on, each time `cleanupIntervalS` after the sweep before, 20 % more or less; the first time after
   * one interval. A sweep that fails is reported and the next one comes as planned. Never keeps a process alive.
   */
  start(): void {
    if (this.#timer === undefined) this.#plan();
  }

  #plan(): void {
    const ms = this.#engine.config.cleanupIntervalS * 10 * randomInt(100 - jitter, 101 + jitter);
    this.#timer = setTimeout(() => void this.#tick(), ms);
    this.#timer.unref();
  }

  async #tick(): Promise<void> {
    const stops = this.#stops;
    try {
      const { failures } = await this.#sweep();
      for (const { error, sessionId } of failures) this.#fail(sessionId, error);
      // Consolidators may take their time, and the next sweep does not wait for them.
      this.#consolidating ??= this.#consolidate();
    } catch (error) {
      this.#fail(null, error);
    }
    if (stops === this.#stops) this.#plan();
  }

  async #consolidate(): Promise<void> {
    try {
      await this.#memory?.consolidateOwed();
    } catch (error) {
      this.#fail(null, error);
    } finally {
      this.#consolidating = undefined;
    }
  }

  #fail(sessionId: string | null, error: unknown): void {
    try {
      this.#report({ task: 'sweep', sessionId, error });
    } catch {
      // There is nobody left to tell.
    }
  }

  /** Sweeps no more by itself. Resolves when sweeps that are on their way have ended, which they do early. */
  async stop(): Promise<void> {
    this.#stops += 1;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await Promise.allSettled(this.#running);
  }

  /**
   * Sweeps once, now, and tells what it did. What fails for one session is in the report, and leaves the others be.
   *
   * @throws SessionStoreUnavailableError if the store cannot be asked what is due
   */
  async sweep(): Promise<SweepReport> {
    const swept = await this.#sweep();
    const { done = 0, failed = 0 } = (await this.#memory?.consolidateOwed()) ?? {};
    return Object.freeze({ ...swept, consolidated: done, unconsolidated: failed });
  }

  async #sweep(): Promise<SweepReport> {
    const stops = this.#stops;
    const sweep = new Sweep(this.#engine, this.#clock, () => this.#stops !== stops).run();
    this.#running.add(sweep);
    try {
      return await sweep;
    } finally {
      this.#running.delete(sweep);
    }
  }
}
