import type { FailureReport } from '../cleanup/report-failure.ts';
import type { Engine } from '../manager/engine.ts';
import { consolidateSession, type RunOutcome } from './consolidate-session.ts';
import { consolidationPlace } from './consolidation.ts';
import type { MemoryConsolidator } from './memory-consolidator.ts';

/** Runs of this process at a time. */
const together = 4;
/** Owed consolidations that are asked for at a time. */
const page = 32;
/** How long closing waits for runs that are on their way, and then for their answer to being broken off. */
const graceMs = 10_000;
const abortedMs = 1_000;

/** How many owed consolidations were done, and how many tried in vain. */
export interface ConsolidationCounts {
  readonly done: number;
  readonly failed: number;
}

/** Runs what sessions owe to a consolidator: what this process is told of, and what others left. */
export class ConsolidationQueue {
  readonly #engine: Engine;
  readonly #consolidator: MemoryConsolidator;
  readonly #report: FailureReport;
  readonly #stop = new AbortController();
  /** By session. */
  readonly #running = new Map<string, Promise<RunOutcome>>();
  readonly #retries = new Set<NodeJS.Timeout>();
  #stopped = false;
  #pumping: Promise<void> | undefined;
  #woken = false;

  /** @param engine one without an owner */
  constructor(engine: Engine, consolidator: MemoryConsolidator, report: FailureReport) {
    this.#engine = engine;
    this.#consolidator = consolidator;
    this.#report = report;
  }

  /** Whether this process is at a session. */
  isAt(sessionId: string): boolean {
    return this.#running.has(sessionId);
  }

  /** Runs what one session owes, now; if this process is at it already, waits for that. @throws what the store throws */
  async run(sessionId: string): Promise<RunOutcome> {
    const before = this.#running.get(sessionId);
    if (before !== undefined) return before;
    if (this.#stopped) return { ended: 'left' };
    const run = consolidateSession(this.#engine, this.#consolidator, sessionId, this.#stop.signal);
    this.#running.set(sessionId, run);
    try {
      const outcome = await run;
      if (outcome.ended === 'failed') this.#retryIn(outcome.retryInMs);
      return outcome;
    } finally {
      this.#running.delete(sessionId);
    }
  }

  /**
   * Runs all that is owed and due, some at a time, until none is left; each session once. Counts what it ran itself.
   */
  async runOwed(): Promise<ConsolidationCounts> {
    const counts = { done: 0, failed: 0 };
    const { kind } = consolidationPlace;
    const tried = new Set<string>();
    // What was tried and still stands there: others are at it, or cannot be read.
    for (let left = 0; !this.#stopped; ) {
      const limit = page + left;
      const items = await this.#engine.store.due({ kind, limit });
      const fresh = items.map((item) => item.sessionId).filter((id) => !tried.has(id));
      left = items.length - fresh.length;
      if (fresh.length === 0 && items.length < limit) break;
      for (const id of fresh) tried.add(id);
      const next = fresh.values();
      const workers = Array.from({ length: together }, async () => {
        // What this process is at is counted by who began it.
        for (const id of next) if (!this.isAt(id)) await this.#tryOne(id, counts);
      });
      await Promise.all(workers);
    }
    // Also for what the background is at: who asks wants to find it done.
    await Promise.allSettled(this.#running.values());
    return counts;
  }

  async #tryOne(sessionId: string, counts: { done: number; failed: number }): Promise<void> {
    try {
      const outcome = await this.run(sessionId);
      if (outcome.ended === 'done') counts.done += 1;
      if (outcome.ended !== 'failed') return;
      counts.failed += 1;
      this.#tell(sessionId, outcome.error);
    } catch (error) {
      counts.failed += 1;
      this.#tell(sessionId, error);
    }
  }

  #tell(sessionId: string | null, error: unknown): void {
    try {
      this.#report({ task: 'consolidation', sessionId, error });
    } catch {
      // There is nobody left to tell.
    }
  }

  /** Runs in the background what is owed and due. */
  wake(): void {
    this.#woken = true;
    if (!this.#stopped) this.#pumping ??= this.#pump();
  }

  async #pump(): Promise<void> {
    while (this.#woken && !this.#stopped) {
      this.#woken = false;
      try {
        await this.runOwed();
      } catch (error) {
        this.#tell(null, error);
      }
    }
    this.#pumping = undefined;
  }

  #retryIn(ms: number): void {
    if (this.#stopped) return;
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      this.wake();
    }, ms + 1);
    timer.unref();
    this.#retries.add(timer);
  }

  /** Begins nothing more, waits a while for what is on its way, and then breaks it off: it is owed as before. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#retries) clearTimeout(timer);
    this.#retries.clear();
    const work: Promise<unknown>[] = [
      ...this.#running.values(),
      ...(this.#pumping === undefined ? [] : [this.#pumping]),
    ];
    if (await settledWithin(work, graceMs)) return;
    this.#stop.abort(new Error('the sessions are being closed'));
    await settledWithin(work, abortedMs);
  }
}

async function settledWithin(runs: readonly Promise<unknown>[], ms: number): Promise<boolean> {
  if (runs.length === 0) return true;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const settled = Promise.allSettled(runs).then(() => true as const);
  const inTime = await Promise.race([settled, late]);
  clearTimeout(timer);
  return inTime;
}
