import type { SessionConfigInput, SessionStore, Sessions } from '@lexigram/ai-session';

/** One thing that every store keeps, provable on any of them. */
export interface Law {
  /** `group/name`. Stable: deviations name it. */
  readonly id: string;
  /** What it proves of the design's promises and words, in one sentence. */
  readonly promise: string;
  /** Rejects if the store breaks it. */
  check(bench: LawBench): Promise<void>;
}

/** What a law has to work with: a store of its own that nobody used before. */
export interface LawBench {
  /** The store itself, for laws on the port. */
  readonly store: SessionStore;
  /** The store's clock. It stands still unless a law moves it. */
  readonly clock: LawClock;
  /** All services over the store. Opened twice they are two processes' services over one store. */
  open(config?: SessionConfigInput): Promise<Sessions>;
  /** Closes the store and opens again what it left. Fails for a store that keeps nothing. */
  reopen(): Promise<void>;
  /** How often a law that loops does so: `full` in a full run, else `scaled`. */
  scale(full: number, scaled: number): number;
}

/** A clock that a law moves by hand. */
export interface LawClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Moves it on, or back if negative. */
  advance(ms: number): void;
}

/** Opens an empty store whose time is told by `clock`. */
export type OpenStore = (options: { readonly clock: () => number }) => Promise<OpenedStore>;

/** A store on trial. */
export interface OpenedStore {
  readonly store: SessionStore;
  /** Opens again what the store left when it was closed. Absent for one that keeps nothing. */
  readonly reopen?: (() => Promise<SessionStore>) | undefined;
  /** The services over the store, if others are on trial than those of `createSessions`. */
  readonly services?: (config: SessionConfigInput, store: SessionStore) => Promise<Sessions>;
  /** Closes the store and removes what it left. */
  dispose(): Promise<void>;
}

/** A law that a store does not keep, and what holds instead. It must name a law, and the law must fail. */
export interface Deviation {
  /** The law's id. */
  readonly law: string;
  readonly reason: string;
  /** Asserts what holds instead. */
  holds(bench: LawBench): Promise<void>;
}
