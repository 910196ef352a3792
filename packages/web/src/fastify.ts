import { isSessionError, type Sessions } from '@lexigram/ai-session';
import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import type { AiSession } from './ai-session.ts';
import { headersOf } from './answer-headers.ts';
import type { Exchange } from './exchange.ts';
import { headerOf } from './node.ts';
import type { SessionMiddlewareOptions } from './options.ts';
import { SessionMiddleware } from './session-middleware.ts';
import { type Rejection, toRejection } from './status.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The request's session; the plugin put it there. */
    aiSession: AiSession;
  }
}

/** Options of the plugin itself. */
export interface PluginOptions {
  /** False leaves errors of sessions to the handler that is there; true. */
  readonly errors?: boolean;
}

/**
 * A plugin that adds `aiSession` to each request of the instance that registers it, and answers errors of a session
 * by their status; other errors go to the handler that was there before.
 */
export function sessionMiddleware(
  sessions: Sessions | SessionMiddleware<FastifyRequest>,
  options?: SessionMiddlewareOptions<FastifyRequest>,
): FastifyPluginCallback<PluginOptions> {
  const middleware = SessionMiddleware.of(sessions, options);
  const plugin: FastifyPluginCallback<PluginOptions> = (fastify, { errors = true }, done) => {
    fastify.decorateRequest('aiSession');
    fastify.addHook('onRequest', (request, reply, next) => {
      middleware.begin(toExchange(request, reply)).then((begun) => {
        if ('status' in begun) {
          send(reply, begun);
          return;
        }
        request.aiSession = begun;
        middleware.run(begun, next);
      }, next);
    });
    // Parsing the body goes on in the context of the socket; from here on it is the request's again.
    fastify.addHook('preValidation', (request, _reply, next) => {
      middleware.run(request.aiSession, next);
    });
    if (errors) answerErrors(fastify);
    done();
  };
  // As `fastify-plugin` marks them: hooks count for the instance that registers the plugin.
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'lexigram-ai-session',
  });
}

function answerErrors(fastify: FastifyInstance): void {
  const others = fastify.errorHandler;
  fastify.setErrorHandler((error, request, reply) => {
    if (isSessionError(error)) send(reply, toRejection(error));
    else others(error as Parameters<typeof others>[0], request, reply);
  });
}

function toExchange(request: FastifyRequest, reply: FastifyReply): Exchange<FastifyRequest> {
  return {
    method: request.method,
    url: request.raw.url ?? '/',
    header: (name) => headerOf(request.raw, name),
    encrypted: (request.raw.socket as { encrypted?: boolean }).encrypted === true,
    request,
    // A hijacked reply counts as sent before its head is.
    canSetHeaders: () => !reply.raw.headersSent,
    // Below the reply, so that handlers that write to the raw answer send them, too.
    ...headersOf(reply.raw),
  };
}

function send(reply: FastifyReply, { body, headers, status }: Rejection): void {
  if (reply.sent || reply.raw.headersSent) return;
  void reply.code(status).headers(headers).send(body);
}
