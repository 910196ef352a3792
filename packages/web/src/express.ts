import type { IncomingMessage } from 'node:http';
import type { AiSession } from './ai-session.ts';

export { type NodeMiddleware, sessionErrors, sessionMiddleware } from './node.ts';

declare global {
  namespace Express {
    interface Request {
      /** The request's session; `sessionMiddleware` put it there. */
      aiSession: AiSession;
    }
  }
}

/** A request of Express, as `authenticate` gets it. */
export type ExpressRequest = IncomingMessage & Express.Request;
