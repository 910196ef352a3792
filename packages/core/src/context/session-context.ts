import { AsyncLocalStorage } from 'node:async_hooks';
import { SessionInputError, SessionNotFoundError } from '../errors.ts';
import { createSession } from '../manager/create.ts';
import { type Engine, type ServiceOptions, toEngine } from '../manager/engine.ts';
import { checkPrintable, isSessionId, kindOf } from '../session/ids.ts';
import { isPlainObject } from '../session/json.ts';
import { readInput } from '../session/read-input.ts';
import type { AnySession, SessionState, SessionTypes } from '../session/state.ts';
import type { SessionStore } from '../store/port.ts';
import { bareStore } from '../telemetry/observe-store.ts';

/** What `bind` gives and `unbind` takes back. Good for once. */
export interface ContextToken {
  readonly sessionId: string;
}

/** The context of one owner, who is left out. */
export interface ScopedSessionContext<T extends SessionTypes = AnySession>
  extends Omit<SessionContext<T>, 'getOrCreate'> {
  getOrCreate(): Promise<SessionState<T>>;
}

/** A stretch of code, with all that it awaits, in which at most one session is the current one. */
interface Scope {
  state: SessionState<SessionTypes> | null;
  /** Set while `getOrCreate` makes the session, so that the scope gets one only. */
  making: Promise<SessionState<SessionTypes>> | null;
}

interface Bound {
  readonly scope: Scope;
  readonly before: Scope | undefined;
}

/** One for each store: the services of an owner see what was bound for all, if it is theirs. */
const storages = new WeakMap<SessionStore, AsyncLocalStorage<Scope | undefined>>();

function storageOf(store: SessionStore): AsyncLocalStorage<Scope | undefined> {
  const bare = bareStore(store);
  const storage = storages.get(bare) ?? new AsyncLocalStorage<Scope | undefined>();
  storages.set(bare, storage);
  return storage;
}

/**
 * The current session of the code that runs: of a request, a job, a task. It goes along with everything that the
 * code awaits or sets off, and nothing of it reaches code that runs beside it. Within `as(owner)` somebody else's
 * session is not bound.
 */
export class SessionContext<T extends SessionTypes = AnySession> {
  readonly #engine: Engine;
  readonly #storage: AsyncLocalStorage<Scope | undefined>;
  readonly #tokens = new WeakMap<ContextToken, Bound>();

  constructor(over: ServiceOptions) {
    this.#engine = toEngine(over);
    this.#storage = storageOf(this.#engine.store);
  }

  /**
   * Runs `fn` in a scope of its own in which a session is the current one, and answers what `fn` answers. A session
   * given by its id is read first, so that the answer is a promise; a state is taken as it is, and null opens a
   * scope without a session, for `getOrCreate`.
   *
   * @throws SessionInputError; SessionNotFoundError for a session that is unknown or somebody else's
   */
  run<R>(session: SessionState<T> | null, fn: () => R): R;
  run<R>(sessionId: string, fn: () => R): Promise<Awaited<R>>;
  run<R>(session: SessionState<T> | string | null, fn: () => R): R | Promise<Awaited<R>> {
    if (typeof fn !== 'function') {
      throw new SessionInputError('fn', `expected a function, got ${kindOf(fn)}`);
    }
    if (typeof session === 'string') return this.#runById(session, fn);
    const state = session === null ? null : this.#check(session);
    return this.#storage.run({ state, making: null }, fn);
  }

  async #runById<R>(sessionId: string, fn: () => R): Promise<Awaited<R>> {
    const state = await this.#engine.state<T>(await this.#engine.session(sessionId));
    return await this.#storage.run({ state, making: null }, fn);
  }

  /**
   * Makes a session the current one from here on: in the code that runs now and in what it sets off, until `unbind`.
   * That can include the caller of this code; where there is a function to run, `run` is the better choice.
   *
   * @throws SessionInputError; SessionNotFoundError for somebody else's session
   */
  bind(session: SessionState<T>): ContextToken {
    const state = this.#check(session);
    const scope: Scope = { state, making: null };
    const token: ContextToken = Object.freeze({ sessionId: state.sessionId });
    this.#tokens.set(token, { scope, before: this.#storage.getStore() });
    this.#storage.enterWith(scope);
    return token;
  }

  /**
   * Takes a binding back: what was current before it is current again.
   *
   * @throws SessionInputError if the binding is not the current one here: it was taken back before, is covered by
   * a later one, or belongs to other code
   */
  unbind(token: ContextToken): void {
    const bound = this.#tokens.get(token);
    if (bound === undefined || this.#storage.getStore() !== bound.scope) {
      throw new SessionInputError('token', 'is not that of the current binding');
    }
    this.#tokens.delete(token);
    this.#storage.enterWith(bound.before);
  }

  /** The current session's id; null if none is bound. */
  get sessionId(): string | null {
    return this.#current()?.sessionId ?? null;
  }

  /**
   * The current session as it was when it was bound: an immutable snapshot.
   *
   * @throws SessionInputError if none is bound
   */
  get state(): SessionState<T> {
    const state = this.#current();
    if (state !== null) return state;
    throw new SessionInputError('context', 'no session is bound here; use run or bind first');
  }

  /**
   * The current session, as it is now. If the scope has none, a new one of the user is made and becomes the current
   * one of the scope; asked for several times at once it is made once. Outside of any scope a session is made and
   * bound to nothing. Within `as(owner)` the user is left out.
   *
   * @throws SessionInputError if the current session is another user's; else as `manager.create` and `getState`
   */
  async getOrCreate(userId: string): Promise<SessionState<T>> {
    const engine = this.#engine;
    if (engine.owner === undefined) checkPrintable(userId, 'userId');
    else if (userId !== undefined) {
      throw new SessionInputError('userId', 'is left out: the owner is known');
    }
    const scope = this.#storage.getStore();
    if (scope === undefined) return this.#make(userId);
    if (scope.state === null) {
      scope.making ??= this.#make(userId).finally(() => {
        scope.making = null;
      });
      const made = await scope.making;
      scope.state ??= made;
    }
    const current = this.#current();
    if (current === null || (engine.owner === undefined && current.userId !== userId)) {
      throw new SessionInputError('userId', "is not the current session's");
    }
    return engine.state<T>(await engine.session(current.sessionId));
  }

  async #make(userId: string): Promise<SessionState<T>> {
    const engine = this.#engine;
    const input = engine.owner === undefined ? { userId } : {};
    return engine.stateAfter<T>(await createSession(engine, input as { userId: string }));
  }

  #current(): SessionState<T> | null {
    const state = this.#storage.getStore()?.state ?? null;
    return state === null || !this.#isOwn(state) ? null : (state as SessionState<T>);
  }

  #isOwn({ tenantId, userId }: SessionState<SessionTypes>): boolean {
    const { owner } = this.#engine;
    return owner === undefined || (owner.userId === userId && owner.tenantId === tenantId);
  }

  /** The state, as it cannot be changed any more. */
  #check(session: SessionState<T>): SessionState<T> {
    const state = readInput('session', () =>
      Object.isFrozen(session) || !isPlainObject(session) ? session : Object.freeze({ ...session }),
    );
    const fits = readInput('session', () => {
      const { tenantId, userId } = state ?? {};
      const named = tenantId === null || typeof tenantId === 'string';
      return isSessionId(state?.sessionId) && typeof userId === 'string' && named;
    });
    if (!fits) {
      throw new SessionInputError('session', `expected a session's state, got ${kindOf(session)}`);
    }
    if (!this.#isOwn(state)) throw new SessionNotFoundError(state.sessionId);
    return state;
  }
}
