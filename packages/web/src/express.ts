import type { IncomingMessage } from 'node:http';
import type { Sessions } from '@lexigram/ai-session';
import type { AiSession } from './ai-session.ts';
import { type NodeMiddleware, sessionMiddleware as nodeMiddleware } from './node.ts';
import type { SessionMiddlewareOptions } from './options.ts';
import type { SessionMiddleware } from './session-middleware.ts';

export { type NodeMiddleware, sessionErrors } from './node.ts';

declare global {
  namespace Express {
    interface Request {
      /** The request's session; `sessionMiddleware` put it there. */
      aiSession: AiSession;
    }
  }
}

/** A request of Express, as `authenticate` gets it, with what other packages put there. */
export type ExpressRequest = IncomingMessage & Express.Request;

/** Adds `aiSession` to each request; one that is refused is answered, and `next` is not called. */
export function sessionMiddleware<Request extends IncomingMessage = ExpressRequest>(
  sessions: Sessions | SessionMiddleware<Request>,
  options?: SessionMiddlewareOptions<Request>,
): NodeMiddleware<Request> {
  return nodeMiddleware(sessions, options);
}
