import type { SessionStore } from '../store/port.ts';
import { type StoreCall, toStoreCall } from './store-call.ts';

/** Somebody who watches the calls of a store. */
export interface StoreObserver {
  /** Whether anybody wants to know now. */
  readonly wanted: () => boolean;
  /** Goes round a call: calls `next` once, and answers what it answers. Must not fail by itself. */
  readonly observe: (call: StoreCall, next: () => Promise<unknown>) => Promise<unknown>;
}

type BareVerb = {
  readonly [K in keyof SessionStore]: SessionStore[K] extends (...args: never[]) => Promise<unknown>
    ? never
    : K;
}[keyof SessionStore];

/** What answers at once, and so cannot be gone round; and the end, which is no call of a session. */
const bareVerbs: Readonly<Record<BareVerb | 'close', true>> = { watch: true, close: true };

/** The store itself if nobody observes; else the same store, each call of which goes through the observers in turn. */
export function observeStore(
  store: SessionStore,
  observers: readonly StoreObserver[],
): SessionStore {
  if (observers.length === 0) return store;
  const methods = new Map<PropertyKey, unknown>();
  const observed = proxyOf(store, methods, observers);
  bareStores.set(observed, store);
  return observed;
}

const bareStores = new WeakMap<SessionStore, SessionStore>();

/** The store behind the observers: by it, and not by who observes, two services know that theirs is the same. */
export function bareStore(store: SessionStore): SessionStore {
  return bareStores.get(store) ?? store;
}

function proxyOf(
  store: SessionStore,
  methods: Map<PropertyKey, unknown>,
  observers: readonly StoreObserver[],
): SessionStore {
  // Not over the store itself: one that is frozen would want its own methods to be answered.
  return new Proxy(Object.create(Object.getPrototypeOf(store)) as SessionStore, {
    get(_, key) {
      const known = methods.get(key);
      if (known !== undefined) return known;
      const member: unknown = Reflect.get(store, key, store);
      if (typeof member !== 'function') return member;
      const bare = (args: readonly unknown[]) => Reflect.apply(member, store, args);
      const method =
        typeof key === 'string' && !Object.hasOwn(bareVerbs, key)
          ? (...args: readonly unknown[]) => through(observers, key, args, bare)
          : (...args: readonly unknown[]) => bare(args);
      methods.set(key, method);
      return method;
    },
  });
}

function through(
  observers: readonly StoreObserver[],
  verb: string,
  args: readonly unknown[],
  bare: (args: readonly unknown[]) => Promise<unknown>,
): Promise<unknown> {
  const wanted = observers.filter((one) => one.wanted());
  if (wanted.length === 0) return bare(args);
  const call = toStoreCall(verb, args);
  return wanted.reduceRight<() => Promise<unknown>>(
    (next, { observe }) =>
      () =>
        observe(call, next),
    () => bare(args),
  )();
}
