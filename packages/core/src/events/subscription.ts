import type { Wake } from '../store/port.ts';
import type { SessionEvent, SubscriptionResetEvent } from './session-event.ts';
import type { EventSource } from './session-source.ts';

/** Events of the store, one after another, without an end but that of the session. */
export interface SessionSubscription
  extends AsyncIterableIterator<SessionEvent | SubscriptionResetEvent, undefined>,
    AsyncDisposable {
  /**
   * The cursor at which it begins. Once it is there, nothing that is committed later is missed. Rejects with what
   * the first `next` throws.
   */
  readonly start: Promise<string>;
  next(): Promise<IteratorResult<SessionEvent | SubscriptionResetEvent, undefined>>;
  /** Ends it, also while it waits. */
  return(): Promise<IteratorReturnResult<undefined>>;
}

type Step = IteratorResult<SessionEvent | SubscriptionResetEvent, undefined>;

const end: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/** Which sessions a subscription is about. */
export interface Concern {
  readonly sessionId?: string;
  readonly userId?: string | undefined;
  readonly tenantId?: string | null | undefined;
}

/**
 * Reads when it is asked for more, and sleeps while there is nothing, until the store wakes it. It holds a page of
 * events at most, however slow its reader is.
 */
export class Subscription implements SessionSubscription {
  readonly start: Promise<string>;
  readonly #source: EventSource;
  readonly concern: Concern;
  readonly #signal: AbortSignal | undefined;
  readonly #onClose: (subscription: Subscription) => void;
  #events: readonly (SessionEvent | SubscriptionResetEvent)[] = [];
  #at = 0;
  /** Whether there may be something to read. */
  #stale = true;
  #ended = false;
  #closed = false;
  /** Whether all was read that it was woken for. */
  #settled = false;
  #last: Promise<unknown> = Promise.resolve();
  #rouse: (() => void) | undefined;

  constructor(
    source: EventSource,
    concern: Concern,
    signal: AbortSignal | undefined,
    onClose: (subscription: Subscription) => void,
  ) {
    this.#source = source;
    this.concern = concern;
    this.#signal = signal;
    this.#onClose = onClose;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.start = source.open();
    // The first `next` tells why.
    this.start.catch(() => this.close());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    const step = this.#last.then(() => this.#next());
    this.#last = step.catch(() => undefined);
    return step;
  }

  async #next(): Promise<Step> {
    try {
      await this.start;
      for (;;) {
        if (this.#signal?.aborted === true && !this.#closed) throw this.#signal.reason;
        if (this.#closed) return end;
        const value = this.#events[this.#at];
        if (value !== undefined) {
          this.#at += 1;
          return { done: false, value };
        }
        if (this.#ended) this.close();
        else if (this.#stale) await this.#read();
        else await this.#sleep();
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async #read(): Promise<void> {
    this.#stale = false;
    const { ended, events, more } = await this.#source.read();
    this.#events = events;
    this.#at = 0;
    this.#ended = ended;
    // What woke it while it read is not forgotten.
    if (more) this.#stale = true;
    this.#settled = !this.#stale;
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.#rouse = resolve;
    });
  }

  /** Told that something that concerns it may have been committed. */
  wake({ from }: Wake): void {
    if (this.#settled && from !== null) this.#source.skipTo(from);
    this.#settled = false;
    this.#stale = true;
    this.#rouse?.();
  }

  readonly #onAbort = (): void => this.#rouse?.();

  /** Ends it: the `next` that waits is answered, and later ones, with the end. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#onClose(this);
    this.#rouse?.();
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.close();
    return end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}
