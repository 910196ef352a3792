import type { Engine } from '../manager/engine.ts';
import type { RecordWrite } from '../store/port.ts';
import type { RecordRow } from '../store/rows.ts';
import {
  type ConsolidationValue,
  consolidationPlace,
  consolidationRecord,
  readConsolidationValue,
} from './consolidation.ts';

/** How often within its time a lease is prolonged. */
const beats = 3;

/** The right to consolidate one session, which lasts as long as this process gives signs of life. */
export class ConsolidationLease {
  readonly #engine: Engine;
  readonly #sessionId: string;
  readonly #leaseMs: number;
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #beating = false;
  /** Until when this process may believe that it holds the lease; by its own clock, from before it asked. */
  #heldUntil: number;

  /** The fencing token. */
  readonly token: number;
  /** As it stands since the lease was taken. */
  readonly value: ConsolidationValue;

  private constructor(
    engine: Engine,
    sessionId: string,
    leaseMs: number,
    token: number,
    value: ConsolidationValue,
    asked: number,
  ) {
    this.#engine = engine;
    this.#sessionId = sessionId;
    this.#leaseMs = leaseMs;
    this.token = token;
    this.value = value;
    this.#heldUntil = asked + leaseMs;
    this.#timer = setInterval(() => void this.#beat(), leaseMs / beats);
    this.#timer.unref();
  }

  /** Takes the lease, or answers null: the consolidation is done, is not due yet, or somebody else is at it. */
  static async take(
    engine: Engine,
    sessionId: string,
    record: RecordRow,
    leaseMs: number,
  ): Promise<ConsolidationLease | null> {
    const before = readConsolidationValue(sessionId, record);
    if (before.state === 'done') return null;
    const value = { ...before, state: 'running', attempts: before.attempts + 1 } as const;
    const { version } = record;
    const asked = performance.now();
    const result = await engine.put(sessionId, {
      // Past its time, and as it was read: heartbeats keep the version, so that the version alone would say nothing.
      guards: {
        records: [
          { ...consolidationPlace, version },
          { ...consolidationPlace, version: null, due: true },
        ],
      },
      records: [consolidationRecord(value, leaseMs)],
    });
    if (result.refused !== undefined) return null;
    return new ConsolidationLease(engine, sessionId, leaseMs, version + 1, value, asked);
  }

  /** Aborted once the lease is lost. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  async #beat(): Promise<void> {
    if (this.#beating) {
      this.#checkTime();
      return;
    }
    this.#beating = true;
    const asked = performance.now();
    try {
      const { refused } = await this.#put([
        { ...consolidationRecord(this.value, this.#leaseMs), sameVersion: true },
      ]);
      if (refused === undefined) this.#heldUntil = asked + this.#leaseMs;
      else this.#lose();
    } catch {
      // The store may answer the next time; until then the lease goes on running out. After a standstill of this
      // process alone nobody may have taken it: the store has the say as long as it can be asked.
      this.#checkTime();
    } finally {
      this.#beating = false;
    }
  }

  #checkTime(): void {
    if (performance.now() >= this.#heldUntil) this.#lose();
  }

  #lose(): void {
    clearInterval(this.#timer);
    this.#lost.abort(new Error('the lease of this consolidation ran out or was taken over'));
  }

  /** Writes how it ended, with what came of it, and lets go; false if the lease was lost, and nothing is written. */
  async end(
    value: ConsolidationValue,
    dueInMs: number | null,
    records: readonly RecordWrite[] = [],
  ): Promise<boolean> {
    clearInterval(this.#timer);
    const result = await this.#put([...records, consolidationRecord(value, dueInMs)]);
    return result.refused === undefined;
  }

  /** Gives no more signs of life: the session is gone. */
  drop(): void {
    clearInterval(this.#timer);
  }

  #put(records: readonly RecordWrite[]): ReturnType<Engine['put']> {
    const guards = { records: [{ ...consolidationPlace, version: this.token }] };
    return this.#engine.put(this.#sessionId, { guards, records });
  }
}
