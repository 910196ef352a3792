import { SessionInputError } from '../errors.ts';
import { type Engine, type ServiceOptions, toEngine } from '../manager/engine.ts';
import { checkPrintable, checkSessionId, kindOf } from '../session/ids.ts';
import { checkOptions } from '../session/options.ts';
import { parseSessionCursor, parseStoreCursor } from './cursor.ts';
import { type EventHub, hubOf } from './event-hub.ts';
import type { FaultReport } from './listeners.ts';
import { type SessionEventMap, type SessionEventType, sessionEventTypes } from './session-event.ts';
import { SessionSource } from './session-source.ts';
import { type OwnerFilter, StoreSource } from './store-source.ts';
import { type SessionSubscription, Subscription } from './subscription.ts';

/** What a subscription is about: one session, one user's, or all. */
export interface SubscribeOptions {
  readonly sessionId?: string | undefined;
  /** Of any tenant, unless one is given. */
  readonly userId?: string | undefined;
  /** With `userId`; null for sessions without a tenant. */
  readonly tenantId?: string | null | undefined;
  /** The cursor of an event: goes on after it. Without it, from now. */
  readonly after?: string | undefined;
  /** Ends it: `next` then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The events of one owner, who is left out. */
export interface ScopedSessionEvents extends Omit<SessionEvents, 'subscribe' | 'onListenerError'> {
  subscribe(options?: Omit<SubscribeOptions, 'userId' | 'tenantId'>): SessionSubscription;
}

/** What happened to sessions, as it happens. Within `as(owner)` only what happened to the owner's. */
export class SessionEvents {
  readonly #engine: Engine;
  readonly #hub: EventHub;

  constructor(over: ServiceOptions) {
    this.#engine = toEngine(over);
    this.#hub = hubOf(this.#engine);
  }

  /**
   * Calls `listener` for each event of a type that these services make in this process, in the order of the commits,
   * soon after the call that made it was answered. Nothing that a listener does reaches that call: what it throws,
   * or rejects, and a promise that it leaves open for ten seconds, are reported. For what other processes do, and
   * for what must not be missed, use `subscribe`.
   *
   * @returns takes the listener away again
   * @throws SessionInputError
   */
  on<Type extends SessionEventType>(
    type: Type,
    listener: (event: SessionEventMap[Type]) => unknown,
  ): () => void {
    if (!sessionEventTypes.includes(type)) {
      const known = sessionEventTypes.join(', ');
      throw new SessionInputError('type', `expected one of ${known}, got ${kindOf(type)}`);
    }
    return this.#hub.on(type, this.#engine.owner, checkListener(listener));
  }

  /**
   * Takes the faults of listeners from here on, in place of a warning of the process. One for all services of one
   * `createSessions`; the newest counts.
   *
   * @throws SessionInputError
   */
  onListenerError(report: FaultReport): void {
    this.#hub.reportTo(checkListener(report));
  }

  /**
   * The events of one session, of a user's sessions or of all, whichever process made them, read from the store: at
   * least once each, those of a session in the order of its revisions. An event that comes twice has the same cursor.
   * After a cursor that no longer fits comes an event of type `reset`, never a silent jump. A subscription to one
   * session ends with its `deleted`; all end with `close`. It does not keep a process alive by itself.
   *
   * @throws SessionInputError; while iterating SessionNotFoundError for a session that is unknown or somebody else's,
   * SessionStoreUnavailableError
   */
  subscribe(options?: SubscribeOptions): SessionSubscription {
    const { owner } = this.#engine;
    const known = owner === undefined ? ['userId', 'tenantId'] : [];
    const given = checkOptions(options, ['sessionId', 'after', 'signal', ...known]);
    const { after, sessionId } = given;
    const signal = checkSignal(given.signal);
    const filter = owner ?? parseFilter(given);
    let source: SessionSource | StoreSource;
    if (sessionId !== undefined) {
      if (given.userId !== undefined || given.tenantId !== undefined) {
        throw new SessionInputError('options', "give either 'sessionId' or 'userId'");
      }
      const place = after === undefined ? undefined : parseSessionCursor(after);
      source = new SessionSource(this.#engine, checkSessionId(sessionId), place);
    } else {
      const place = after === undefined ? undefined : parseStoreCursor(after);
      source = new StoreSource(this.#engine, filter, place);
    }
    const concern = sessionId === undefined ? filter : { sessionId: sessionId as string };
    // Watching begins before the place is found: what is committed in between wakes it.
    const hub = this.#hub;
    return hub.open((onClose) => new Subscription(source, concern, signal, onClose));
  }
}

function parseFilter(given: Readonly<Record<string, unknown>>): OwnerFilter {
  const { tenantId, userId } = given;
  if (userId === undefined) {
    if (tenantId === undefined) return {};
    throw new SessionInputError('tenantId', "goes with 'userId'");
  }
  const user = { userId: checkPrintable(userId, 'userId') };
  if (tenantId === undefined) return user;
  return { ...user, tenantId: tenantId === null ? null : checkPrintable(tenantId, 'tenantId') };
}

function checkListener<F>(listener: F): F {
  if (typeof listener === 'function') return listener;
  throw new SessionInputError('listener', `expected a function, got ${kindOf(listener)}`);
}

function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw new SessionInputError('signal', `expected an AbortSignal, got ${kindOf(signal)}`);
}
