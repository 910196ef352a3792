import type { Engine } from '../manager/engine.ts';
import type { Wake } from '../store/port.ts';
import type { Owner } from '../store/rows.ts';
import { sessionCursor, tagOf } from './cursor.ts';
import { happened } from './happened.ts';
import { eventType, toEvent } from './happening.ts';
import { type FaultReport, Listeners } from './listeners.ts';
import type { SessionEvent, SessionEventMap, SessionEventType } from './session-event.ts';
import type { Subscription } from './subscription.ts';
import { Waiting } from './waiting.ts';
import type { Written } from './written.ts';

/**
 * Where the events of one engine, and of those made from it for owners, come together: the listeners in this process,
 * and the subscriptions that wait for the store. It does nothing while there are neither.
 */
export class EventHub {
  readonly #engine: Engine;
  readonly #listeners = new Map<SessionEventType, Listeners<SessionEvent>>();
  readonly #subscriptions = new Waiting();
  #report: FaultReport;
  #queue: SessionEvent[] = [];
  #deaf: (() => void) | undefined;
  #unwatch: (() => void) | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#report = (fault) => engine.writes.fault(fault);
  }

  on<Type extends SessionEventType>(
    type: Type,
    owner: Owner | undefined,
    listener: (event: SessionEventMap[Type]) => unknown,
  ): () => void {
    let listeners = this.#listeners.get(type);
    if (listeners === undefined) {
      listeners = new Listeners((fault) => this.#report(fault));
      this.#listeners.set(type, listeners);
    }
    const remove = listeners.add((event) =>
      isOf(event, owner) ? listener(event as SessionEventMap[Type]) : undefined,
    );
    this.#deaf ??= this.#engine.writes.add((written) => this.#hear(written));
    return () => {
      remove();
      if ([...this.#listeners.values()].some(({ any }) => any)) return;
      this.#deaf?.();
      this.#deaf = undefined;
    };
  }

  /** Where faults of listeners go from here on. */
  reportTo(report: FaultReport): void {
    this.#report = report;
  }

  #hear(written: Written): void {
    const { session } = written;
    for (const happening of happened(written)) {
      if (this.#listeners.get(eventType(happening))?.any !== true) continue;
      const cursor = sessionCursor({ revision: happening.revision, tag: tagOf(happening) });
      // After the call that made it is answered, so that no listener can hold it up.
      if (this.#queue.push(toEvent(happening, session, cursor)) === 1) setImmediate(this.#flush);
    }
  }

  readonly #flush = (): void => {
    for (const event of this.#queue.splice(0)) this.#listeners.get(event.type)?.tell(event);
  };

  /** Makes a subscription and wakes it from before it reads until it is closed. */
  open(make: (onClose: (subscription: Subscription) => void) => Subscription): Subscription {
    this.#unwatch ??= this.#engine.store.watch((wake) => this.#wake(wake));
    const subscription = make((closed) => this.#delete(closed));
    this.#subscriptions.add(subscription);
    return subscription;
  }

  #delete(subscription: Subscription): void {
    this.#subscriptions.delete(subscription);
    if (this.#subscriptions.size > 0) return;
    this.#unwatch?.();
    this.#unwatch = undefined;
  }

  #wake(wake: Wake): void {
    for (const subscription of this.#subscriptions.concernedBy(wake)) subscription.wake(wake);
  }

  /** Tells the listeners what is still to be told, and ends the subscriptions. */
  close(): void {
    this.#flush();
    this.#deaf?.();
    this.#deaf = undefined;
    this.#listeners.clear();
    for (const subscription of this.#subscriptions) subscription.close();
  }
}

function isOf(event: SessionEvent, owner: Owner | undefined): boolean {
  return (
    owner === undefined || (event.userId === owner.userId && event.tenantId === owner.tenantId)
  );
}

const hubs = new WeakMap<Listeners<Written>, EventHub>();

/** The hub of an engine, which it shares with the engines made from it. */
export function hubOf(engine: Engine): EventHub {
  const hub = hubs.get(engine.writes) ?? new EventHub(engine);
  hubs.set(engine.writes, hub);
  return hub;
}
