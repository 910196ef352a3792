import { SessionError } from '@lexigram/ai-session';
import { toRejection } from '@lexigram/ai-session-web';
import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';

/** Answers errors of a session by their status: 404 unknown, 410 ended, 429 a cap, and so on. */
export class SessionErrorFilter implements ExceptionFilter {
  readonly #host: HttpAdapterHost;

  constructor(host: HttpAdapterHost) {
    this.#host = host;
  }

  catch(error: SessionError, host: ArgumentsHost): void {
    // Nest goes on with what it does itself: it tells no details to those who ask otherwise than by HTTP.
    if (host.getType() === 'rpc' || (host.getType() as string) === 'graphql') return;
    const { httpAdapter } = this.#host;
    const response: unknown = host.switchToHttp().getResponse();
    if (host.getType() !== 'http' || httpAdapter.isHeadersSent(response)) throw error;
    const { body, headers, status } = toRejection(error);
    for (const [name, value] of Object.entries(headers)) {
      httpAdapter.setHeader(response, name, value);
    }
    httpAdapter.reply(response, JSON.parse(body), status);
  }
}

Catch(SessionError)(SessionErrorFilter);
