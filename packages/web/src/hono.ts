import { isSessionError, type Sessions } from '@lexigram/ai-session';
import type { Context, MiddlewareHandler } from 'hono';
import type { AiSession } from './ai-session.ts';
import type { Exchange } from './exchange.ts';
import { headerOfWeb } from './fetch.ts';
import type { SessionMiddlewareOptions } from './options.ts';
import { SessionMiddleware } from './session-middleware.ts';
import { toRejection, toResponse } from './status.ts';

declare module 'hono' {
  interface ContextVariableMap {
    /** The request's session; `sessionMiddleware` put it there. */
    aiSession: AiSession;
  }
}

/** Gives each request its session as `c.get('aiSession')`, and answers errors of a session by their status. */
export function sessionMiddleware(
  sessions: Sessions | SessionMiddleware<Context>,
  options?: SessionMiddlewareOptions<Context>,
): MiddlewareHandler {
  const middleware = SessionMiddleware.of(sessions, options);
  return async (c, next) => {
    const kept: Kept = { headers: new Map<string, string>(), cookie: null, answered: false };
    const begun = await middleware.begin(toExchange(c, kept));
    if ('status' in begun) return toResponse(begun);
    c.set('aiSession', begun);
    await middleware.run(begun, next);
    if (isSessionError(c.error)) c.res = toResponse(toRejection(c.error));
    kept.answered = true;
    // Not before: a handler that answers with a Response of its own would lose them.
    for (const [name, value] of kept.headers) c.header(name, value);
    if (kept.cookie !== null) c.header('Set-Cookie', kept.cookie, { append: true });
    return undefined;
  };
}

/** What the answer will have beside what its handler sets. */
interface Kept {
  readonly headers: Map<string, string>;
  cookie: string | null;
  answered: boolean;
}

function toExchange(c: Context, kept: Kept): Exchange<Context> {
  return {
    method: c.req.method,
    url: c.req.url,
    header: (name) => headerOfWeb(c.req.raw, name),
    encrypted: c.req.url.startsWith('https:'),
    request: c,
    canSetHeaders: () => !kept.answered,
    setHeader: (name, value) => void kept.headers.set(name, value),
    addCookie: (value) => {
      kept.cookie = value;
    },
  };
}
