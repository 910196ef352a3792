import { isSessionError, type Sessions } from '@lexigram/ai-session';
import type { Context, MiddlewareHandler } from 'hono';
import type { AiSession } from './ai-session.ts';
import type { Exchange } from './exchange.ts';
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
  const middleware =
    sessions instanceof SessionMiddleware ? sessions : new SessionMiddleware(sessions, options);
  return async (c, next) => {
    const begun = await middleware.begin(toExchange(c));
    if ('status' in begun) return toResponse(begun);
    c.set('aiSession', begun);
    await middleware.run(begun, next);
    if (isSessionError(c.error)) c.res = toResponse(toRejection(c.error));
    return undefined;
  };
}

function toExchange(c: Context): Exchange<Context> {
  return {
    method: c.req.method,
    url: c.req.url,
    header: (name) => c.req.header(name) ?? null,
    encrypted: c.req.url.startsWith('https:'),
    request: c,
    canSetHeaders: () => !c.finalized,
    setHeader: (name, value) => c.header(name, value),
    addCookie: (value) => c.header('Set-Cookie', value, { append: true }),
  };
}
