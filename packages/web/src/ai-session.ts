import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type ScopedSessions,
  SessionClosedError,
  SessionExpiredError,
  SessionInputError,
  type SessionState,
} from '@lexigram/ai-session';
import type { SessionSource } from './options.ts';

/** Who asks, as sessions know them. */
export interface RequestOwner {
  readonly tenantId: string | null;
  readonly userId: string;
  /** A visitor without a name, known by the cookie alone. */
  readonly anonymous: boolean;
}

/** What one request knows of its session. */
export interface AiSession {
  /** The session's id; null until there is one. */
  readonly sessionId: string | null;
  /** The session as it was when the request came, or when it was made; null if there is none. */
  readonly state: SessionState | null;
  /** Where its id came from; `new` if this request made it. */
  readonly source: SessionSource | 'new' | null;
  readonly owner: RequestOwner;
  /** The services in which only what this owner owns exists. */
  readonly sessions: ScopedSessions;
  /**
   * The session as it is now; a new one if there is none, whose cookie goes out with the answer. Ask before the
   * answer begins.
   *
   * @throws SessionClosedError, SessionExpiredError if the request names an ended session by header or query, or if
   * it has ended since; SessionNotFoundError if it was deleted since; SessionInputError if a GET or HEAD would make
   * one, unless `createOnGet`, if a page of another origin would, or if the answer has begun; SessionCapacityError
   */
  getOrCreate(): Promise<SessionState>;
}

/** What `RequestSession` needs of the middleware. */
export interface Making {
  /** What stands against a new session, if anything does. */
  readonly refusal: 'method' | 'origin' | null;
  readonly canSetHeaders: () => boolean;
  /** Tells the client about a session that was made for it. */
  readonly announce: (sessionId: string) => void;
}

/** What a page is told that may not write. */
export const foreignOrigin =
  'a page of this origin may not write here; allowedOrigins names those that may';

/** The session of one request. */
export class RequestSession implements AiSession {
  readonly owner: RequestOwner;
  readonly sessions: ScopedSessions;
  readonly #making: Making;
  #state: SessionState | null;
  #source: SessionSource | 'new' | null;
  #pending: Promise<SessionState> | null = null;
  /** Runs a function in the scope of the request, wherever it is called from. */
  #inScope: <R>(fn: () => R) => R = (fn) => fn();

  constructor(
    owner: RequestOwner,
    sessions: ScopedSessions,
    making: Making,
    found: { readonly state: SessionState; readonly source: SessionSource } | null,
  ) {
    this.owner = owner;
    this.sessions = sessions;
    this.#making = making;
    this.#state = found?.state ?? null;
    this.#source = found?.source ?? null;
  }

  get sessionId(): string | null {
    return this.#state?.sessionId ?? null;
  }

  get state(): SessionState | null {
    return this.#state;
  }

  get source(): SessionSource | 'new' | null {
    return this.#source;
  }

  /** From here on the code that runs is the request's handler. */
  enter(): void {
    this.#inScope = AsyncLocalStorage.snapshot();
  }

  async getOrCreate(): Promise<SessionState> {
    if (this.#state === null) {
      this.#pending ??= this.#create().finally(() => {
        this.#pending = null;
      });
      return this.#pending;
    }
    const state = await this.sessions.manager.getState(this.#state.sessionId);
    if (state.status === 'closed') throw new SessionClosedError(state.sessionId);
    if (state.status === 'expired') throw new SessionExpiredError(state.sessionId);
    return state;
  }

  async #create(): Promise<SessionState> {
    const { refusal } = this.#making;
    if (refusal === 'method') {
      throw new SessionInputError(
        'method',
        'GET and HEAD make no session; use another method, or set createOnGet',
      );
    }
    if (refusal === 'origin') throw new SessionInputError('origin', foreignOrigin);
    this.#checkHead();
    // In the request's own scope: a queue or a pool may have called back in that of another request.
    const made = await this.#inScope(() => this.sessions.context.getOrCreate());
    // Between the two the answer may have begun: a client that cannot be told has no use for the session.
    this.#checkHead();
    this.#state = made;
    this.#source = 'new';
    this.#making.announce(made.sessionId);
    return made;
  }

  #checkHead(): void {
    if (this.#making.canSetHeaders()) return;
    throw new SessionInputError('answer', 'has begun already; ask for the session before');
  }
}
