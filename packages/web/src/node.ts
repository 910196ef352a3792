import type { IncomingMessage, ServerResponse } from 'node:http';
import { isSessionError, type Sessions } from '@lexigram/ai-session';
import type { AiSession } from './ai-session.ts';
import { headersOf } from './answer-headers.ts';
import type { Exchange } from './exchange.ts';
import type { SessionMiddlewareOptions } from './options.ts';
import { SessionMiddleware } from './session-middleware.ts';
import { type Rejection, toRejection } from './status.ts';

/** Express's, Connect's and Nest's form of a middleware, over the requests of `node:http`. */
export type NodeMiddleware<Request extends IncomingMessage = IncomingMessage> = (
  request: Request,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** Adds `aiSession` to each request; one that is refused is answered, and `next` is not called. */
export function sessionMiddleware<Request extends IncomingMessage = IncomingMessage>(
  sessions: Sessions | SessionMiddleware<Request>,
  options?: SessionMiddlewareOptions<Request>,
): NodeMiddleware<Request> {
  const middleware = SessionMiddleware.of(sessions, options);
  return (request, response, next) => {
    middleware.begin(toExchange(request, response)).then((begun) => {
      if ('status' in begun) {
        send(response, begun);
        return;
      }
      (request as { aiSession?: AiSession }).aiSession = begun;
      middleware.run(begun, next);
    }, next);
  };
}

/** The last middleware: answers an error of a session by its status, and passes others on. */
export function sessionErrors(
  error: unknown,
  _request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
): void {
  if (!isSessionError(error) || response.headersSent) next(error);
  else send(response, toRejection(error));
}

function toExchange<Request extends IncomingMessage>(
  request: Request,
  response: ServerResponse,
): Exchange<Request> {
  return {
    method: request.method ?? 'GET',
    url: request.url ?? '/',
    header: (name) => headerOf(request, name),
    encrypted: (request.socket as { encrypted?: boolean }).encrypted === true,
    request,
    canSetHeaders: () => !response.headersSent,
    ...headersOf(response),
  };
}

/** A header's value as it came; HTTP/2 says the host otherwise. */
export function headerOf({ headers }: IncomingMessage, name: string): string | null {
  const key = name.toLowerCase();
  const value = headers[key] ?? (key === 'host' ? headers[':authority'] : undefined);
  return value === undefined ? null : String(value);
}

function send(response: ServerResponse, { body, headers, status }: Rejection): void {
  // Something else answered already, when a time was up, say.
  if (response.headersSent) return;
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
