import {
  isSessionError,
  newSessionId,
  type ScopedSessions,
  SessionConfigError,
  type SessionErrorCode,
  SessionInputError,
  type SessionState,
  type Sessions,
} from '@lexigram/ai-session';
import {
  type AiSession,
  foreignOrigin,
  type Making,
  type RequestOwner,
  RequestSession,
} from './ai-session.ts';
import { setCookie, signCookie } from './cookie.ts';
import type { Exchange } from './exchange.ts';
import { type FetchHandler, handleFetch } from './fetch.ts';
import {
  parseSettings,
  type SessionMiddlewareOptions,
  type SessionSource,
  type Settings,
} from './options.ts';
import { type Named, readSources } from './sources.ts';
import { type Rejection, reject, toRejection } from './status.ts';

/** How a visitor without a name is called among owners; no user may be called so. */
const visitorPrefix = 'anonymous:';
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

type Found = { readonly state: SessionState; readonly source: SessionSource } | null;

/**
 * Gives each request its session. The id comes from the header, then the query, then the signed cookie; one that was
 * not issued to whoever asks is never adopted: named by header or query it is 404, in a cookie it counts for nothing.
 * A session is made only when the handler asks for it. Doors for frameworks stand beside this class: `./express`,
 * `./fastify`, `./hono`, `./node`; `fetch` is the one for Web handlers.
 */
export class SessionMiddleware<Request = globalThis.Request> {
  readonly #sessions: Sessions;
  readonly #settings: Settings<Request>;

  /** @throws SessionConfigError with every problem of the options, also for a key of less than 32 bytes */
  constructor(sessions: Sessions, options: SessionMiddlewareOptions<Request> = {}) {
    this.#sessions = sessions;
    this.#settings = parseSettings(options, sessions.config);
  }

  /**
   * One that is there already, or a new one for these sessions.
   *
   * @throws SessionConfigError, also where one that is there already is given options
   */
  static of<Request>(
    sessions: Sessions | SessionMiddleware<Request>,
    options?: SessionMiddlewareOptions<Request>,
  ): SessionMiddleware<Request> {
    if (!(sessions instanceof SessionMiddleware)) return new SessionMiddleware(sessions, options);
    if (options === undefined) return sessions;
    const message = 'are given to the SessionMiddleware itself, which is there already';
    throw new SessionConfigError([{ path: 'options', message }]);
  }

  /** Wraps a handler of Web requests, such as a route handler of Next. */
  fetch<Rest extends readonly unknown[]>(
    handler: FetchHandler<Rest>,
  ): (request: globalThis.Request, ...rest: Rest) => Promise<Response> {
    const middleware = this as unknown as SessionMiddleware;
    return (request, ...rest) => handleFetch(middleware, handler, request, rest);
  }

  /** What one request's session is, or the answer that ends the request. Nothing that a client sends makes it throw. */
  async begin(exchange: Exchange<Request>): Promise<AiSession | Rejection> {
    try {
      return await this.#begin(exchange);
    } catch (error) {
      if (isSessionError(error)) return toRejection(error);
      throw error;
    }
  }

  /** Runs the handler of a request with its session bound to `sessions.context`. */
  run<R>(aiSession: AiSession, handler: () => R): R {
    return this.#sessions.context.run(aiSession.state, () => {
      if (aiSession instanceof RequestSession) aiSession.enter();
      return handler();
    });
  }

  async #begin(exchange: Exchange<Request>): Promise<AiSession | Rejection> {
    const settings = this.#settings;
    const secure = isSecure(exchange, settings.trustProxy);
    const named = readSources(exchange, settings, secure);
    if ('status' in named) return named;
    const safe = safeMethods.has(exchange.method.toUpperCase());
    const foreign = !safe && this.#isForeign(exchange, secure);
    // What a page of another origin can send without being asked first: cookies and the query, but no header.
    if (foreign && named.id !== null && named.id.source !== 'header') {
      return reject(403, 'foreign_origin', foreignOrigin);
    }
    const owner = await this.#owner(exchange, named);
    if ('status' in owner) return owner;
    const scoped = this.#sessions.as({ tenantId: owner.tenantId, userId: owner.userId });
    const announce = (sessionId: string): void =>
      this.#announce(exchange, sessionId, owner, secure);
    const found = await this.#find(named, owner, scoped, announce);
    if (found !== null && 'status' in found) return found;
    const byOrigin = foreign && settings.cookieName !== null ? 'origin' : null;
    const making: Making = {
      refusal: safe && !settings.createOnGet ? 'method' : byOrigin,
      canSetHeaders: () => exchange.canSetHeaders(),
      announce,
    };
    return new RequestSession(owner, scoped, making, found);
  }

  async #owner(exchange: Exchange<Request>, { cookie }: Named): Promise<RequestOwner | Rejection> {
    const { anonymous, authenticate } = this.#settings;
    const known = (await authenticate?.(exchange.request)) ?? null;
    if (known !== null) {
      if (String(known.userId).startsWith(visitorPrefix)) {
        throw new SessionInputError('userId', `must not begin with '${visitorPrefix}'`);
      }
      return { tenantId: known.tenantId ?? null, userId: known.userId, anonymous: false };
    }
    if (!anonymous) return reject(401, 'unauthorized', 'log in first');
    const visitor = cookie?.visitor ?? newSessionId();
    return { tenantId: null, userId: `${visitorPrefix}${visitor}`, anonymous: true };
  }

  async #find(
    { cookie, id }: Named,
    owner: RequestOwner,
    scoped: ScopedSessions,
    announce: (sessionId: string) => void,
  ): Promise<Found | Rejection> {
    if (id === null) return null;
    if (id.source !== 'cookie') {
      return { state: await scoped.manager.getState(id.sessionId), source: id.source };
    }
    // Logged in since: what the visitor said so far is the user's now, under an id that nobody else knows.
    if (!owner.anonymous && cookie?.visitor)
      return this.#adopt(cookie.sessionId, cookie.visitor, owner, announce);
    const state = await unless(scoped.manager.getState(id.sessionId), gone);
    const ended = state === null || state.status === 'closed' || state.status === 'expired';
    return ended ? null : { state, source: 'cookie' };
  }

  async #adopt(
    sessionId: string,
    visitor: string,
    { tenantId, userId }: RequestOwner,
    announce: (sessionId: string) => void,
  ): Promise<Found> {
    const { manager } = this.#sessions;
    const before = await unless(manager.getState(sessionId), gone);
    const own = before === null || before.userId === `${visitorPrefix}${visitor}`;
    const open = before === null || before.status === 'active' || before.status === 'suspended';
    if (!own || !open) return null;
    // Unknown may be moved already, by a request whose answer did not arrive. A user without room goes on without:
    // the visitor's cookie and session stay, and move once there is room.
    const moved = await unless(manager.transfer(sessionId, { tenantId, userId }), unmoved);
    if (moved === null) return null;
    announce(moved.sessionId);
    return { state: moved, source: 'cookie' };
  }

  #announce(
    exchange: Exchange<Request>,
    sessionId: string,
    { anonymous, userId }: RequestOwner,
    secure: boolean,
  ): void {
    if (!exchange.canSetHeaders()) return;
    const { cookieMaxAge: maxAge, cookieName, headerName, secrets } = this.#settings;
    const [secret] = secrets;
    if (cookieName !== null && secret !== undefined) {
      const visitor = anonymous ? userId.slice(visitorPrefix.length) : null;
      const value = signCookie(cookieName, { sessionId, visitor }, secret);
      exchange.addCookie(setCookie(cookieName, value, { maxAge, secure }));
    }
    if (headerName !== null) exchange.setHeader(headerName, sessionId);
    exchange.setHeader('Cache-Control', 'no-store');
  }

  /**
   * Whether a page of another origin sent the request; a client that is no browser names none. What the browser says
   * itself counts first. Whether a proxy in front speaks https is only known with `trustProxy`.
   */
  #isForeign(exchange: Exchange<Request>, secure: boolean): boolean {
    const origin = exchange.header('origin');
    if (origin !== null && this.#settings.allowedOrigins.has(origin)) return false;
    const site = exchange.header('sec-fetch-site');
    if (site !== null) return site !== 'same-origin' && site !== 'none';
    if (origin === null) return false;
    const host = (exchange.header('host') ?? '').toLowerCase();
    return origin !== `https://${host}` && (secure || origin !== `http://${host}`);
  }
}

function isSecure(exchange: Exchange, trustProxy: boolean): boolean {
  if (!trustProxy) return exchange.encrypted;
  const proto = exchange.header('x-forwarded-proto');
  return proto === null ? exchange.encrypted : proto.split(',', 1)[0]?.trim() === 'https';
}

const gone: readonly SessionErrorCode[] = ['LEX_ERR_SES_007'];
/** Unknown, expired, closed, or no room. */
const unmoved: readonly SessionErrorCode[] = [
  ...gone,
  'LEX_ERR_SES_008',
  'LEX_ERR_SES_009',
  'LEX_ERR_SES_012',
];

/** The state, or null where one of these errors is why there is none. */
async function unless(
  state: Promise<SessionState>,
  codes: readonly SessionErrorCode[],
): Promise<SessionState | null> {
  try {
    return await state;
  } catch (error) {
    if (isSessionError(error) && codes.includes(error.code)) return null;
    throw error;
  }
}
