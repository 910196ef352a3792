export type { AiSession, RequestOwner } from './ai-session.ts';
export type { Exchange } from './exchange.ts';
export type { FetchHandler } from './fetch.ts';
export type { Authenticated, SessionMiddlewareOptions, SessionSource } from './options.ts';
export { SessionMiddleware } from './session-middleware.ts';
export { type Rejection, statusOf, toRejection, toResponse } from './status.ts';
