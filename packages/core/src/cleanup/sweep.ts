import { randomInt } from 'node:crypto';
import { finishErase } from '../branching/delete.ts';
import type { Engine } from '../manager/engine.ts';
import type { DueItem } from '../store/rows.ts';
import { expire } from './expire.ts';
import { type SweptRecord, sweepRecord } from './sweep-record.ts';

/** What one sweep did itself; what others did at the same time is not counted. */
export interface SweepReport {
  /** Sessions whose time had run out, marked and told of. */
  readonly expired: number;
  /** Expired sessions that were deleted after the configuration's `retention`. */
  readonly purged: number;
  /** Deleted sessions whose erase was cut short, erased to the end. */
  readonly erased: number;
  /** Holds whose branch stands, and holds whose branch never came. */
  readonly confirmed: number;
  readonly released: number;
  /** Timelines that were opened out of sight and never used. */
  readonly dropped: number;
  /** Rows that outlived their window: tombstones, journal, operations. */
  readonly collected: number;
  /** Memory consolidations that were owed: done, and tried in vain. */
  readonly consolidated: number;
  readonly unconsolidated: number;
  /** What failed, the first hundred of it; all of it is tried again by the next sweep. */
  readonly failures: readonly SweepFailure[];
}

export interface SweepFailure {
  /** Null if it was not about one session: what outlived its window could not be dropped. */
  readonly sessionId: string | null;
  readonly error: unknown;
}

type Counts = { -readonly [K in Exclude<keyof SweepReport, 'failures'>]: number };

/** Rows that are asked for, collected and erased at a time. */
const batch = 500;
/** Items in work at a time: those of one tick share a transaction. */
const together = 50;
/** What is left alone stands before what can be done; past so much of it the sweep does not look any further. */
const maxLeft = 100_000;
const maxFailures = 100;

/** How long the journal, tombstones and operations are there for others to read: 24 hours, and one for clocks that differ. */
const windowMs = 25 * 60 * 60 * 1000;

/** One sweep on its way. */
export class Sweep {
  readonly #engine: Engine;
  readonly #now: () => number;
  readonly #stopped: () => boolean;
  readonly #counts: Counts = {
    expired: 0,
    purged: 0,
    erased: 0,
    confirmed: 0,
    released: 0,
    dropped: 0,
    collected: 0,
    consolidated: 0,
    unconsolidated: 0,
  };
  readonly #failures: SweepFailure[] = [];

  constructor(engine: Engine, now: () => number, stopped: () => boolean) {
    this.#engine = engine;
    this.#now = now;
    this.#stopped = stopped;
  }

  /** Does all that is due. @throws what the store throws if it cannot even be asked */
  async run(): Promise<SweepReport> {
    try {
      await this.#collect();
    } catch (error) {
      this.#fail(null, error);
    }
    const seen = new Set<string>();
    const left = new Set<string>();
    while (!this.#stopped() && left.size <= maxLeft) {
      const limit = batch + left.size;
      const items = await this.#engine.store.due({ limit });
      const fresh = items.filter((item) => !seen.has(keyOf(item)));
      for (const item of items) if (seen.has(keyOf(item))) left.add(keyOf(item));
      if (fresh.length === 0 && items.length < limit) break;
      // In another order than others, so that sweepers that run at once share the work.
      shuffle(fresh);
      for (let at = 0; at < fresh.length && !this.#stopped(); at += together) {
        await Promise.all(fresh.slice(at, at + together).map((item) => this.#handle(item)));
      }
      for (const item of fresh) seen.add(keyOf(item));
    }
    return Object.freeze({ ...this.#counts, failures: Object.freeze(this.#failures) });
  }

  async #collect(): Promise<void> {
    const request = { before: this.#now() - windowMs, limit: batch };
    while (!this.#stopped()) {
      const dropped = await this.#engine.store.collect(request);
      this.#counts.collected += dropped;
      if (dropped === 0) return;
    }
  }

  async #handle(item: DueItem): Promise<void> {
    try {
      const did = await this.#does(item);
      if (did !== null) this.#counts[did] += 1;
    } catch (error) {
      this.#fail(item.sessionId, error);
    }
  }

  #fail(sessionId: string | null, error: unknown): void {
    if (this.#failures.length >= maxFailures) return;
    this.#failures.push(Object.freeze({ sessionId, error }));
  }

  async #does(item: DueItem): Promise<'expired' | 'erased' | SweptRecord> {
    const { sessionId } = item;
    if (item.due === 'record') return sweepRecord(this.#engine, sessionId, item.record);
    if (item.due === 'erase') {
      await finishErase(this.#engine, sessionId);
      return 'erased';
    }
    return (await expire(this.#engine, sessionId)) ? 'expired' : null;
  }
}

/** What tells an item from the same one later: a record is another one once it was written again. */
function keyOf(item: DueItem): string {
  const { due, sessionId } = item;
  if (due !== 'record') return `${due} ${sessionId}`;
  const { dueAt, key, kind, version } = item.record;
  return `${sessionId} ${kind} ${key} ${version} ${dueAt}`;
}

function shuffle(items: DueItem[]): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = randomInt(i + 1);
    [items[i], items[j]] = [items[j] as DueItem, items[i] as DueItem];
  }
}
