import { isThenable } from '../session/is-thenable.ts';

/** A listener that failed: it threw, or its promise was rejected, or has not settled in time. */
export interface ListenerFault {
  readonly reason: 'threw' | 'hangs';
  /** What it threw; of one that hangs an Error that says how long. */
  readonly error: unknown;
}

/** Takes what went wrong in a listener. Must not throw; what it throws is dropped. */
export type FaultReport = (fault: ListenerFault) => void;

/** Where faults go if nobody takes them: a warning of the process, without the words of an error. */
const warnOfFault: FaultReport = ({ error, reason }) => {
  const what = reason === 'hangs' ? 'has not settled' : `threw ${nameOf(error)}`;
  process.emitWarning(`A listener of session events ${what}`, 'SessionListenerWarning');
};

/** The kind of an error, and where in the listener it was thrown. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return `a value of type ${typeof error}`;
  const frame = error.stack?.split('\n').find((line) => line.startsWith('    at '));
  return frame === undefined ? error.name : `${error.name} ${frame.trim()}`;
}

/** How long a listener's promise may stay open before it is reported. */
const hangMs = 10_000;

/**
 * Those who are told of something. Nothing that a listener does reaches the one who tells: what it throws or
 * rejects is reported, and so is a promise that is still open after ten seconds; nobody waits for it.
 */
export class Listeners<T> {
  readonly #listeners = new Set<{ readonly listener: (value: T) => unknown }>();
  readonly #report: FaultReport;
  readonly #hangMs: number;

  constructor(report: FaultReport = warnOfFault, hangAfterMs: number = hangMs) {
    this.#report = report;
    this.#hangMs = hangAfterMs;
  }

  /** Whether anybody listens; without them what is told need not even be made. */
  get any(): boolean {
    return this.#listeners.size > 0;
  }

  /** Adds a listener; the answer takes it away again. The same function may be added more than once. */
  add(listener: (value: T) => unknown): () => void {
    const entry = { listener };
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  /** Tells everybody, in the order in which they were added, and waits for nobody. Never throws. */
  tell(value: T): void {
    // A copy: who is added meanwhile hears the next one.
    for (const { listener } of [...this.#listeners]) {
      try {
        const answer = listener(value);
        if (isThenable(answer)) this.#watch(answer);
      } catch (error) {
        this.fault({ reason: 'threw', error });
      }
    }
  }

  /** Reports a fault. Never throws. */
  fault(fault: ListenerFault): void {
    try {
      this.#report(fault);
    } catch {
      // The last resort failed too: there is nobody left to tell.
    }
  }

  #watch(answer: PromiseLike<unknown>): void {
    const timer = setTimeout(() => {
      const error = new Error(`a listener has not settled for ${this.#hangMs} ms`);
      this.fault({ reason: 'hangs', error });
    }, this.#hangMs);
    timer.unref?.();
    const settled = (): void => clearTimeout(timer);
    answer.then(settled, (error: unknown) => {
      settled();
      this.fault({ reason: 'threw', error });
    });
  }
}
