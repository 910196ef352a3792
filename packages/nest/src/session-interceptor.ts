import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { Observable } from 'rxjs';
import { sessionOf } from './request-session.ts';
import type { SessionProvider } from './session-provider.ts';

/** Runs handlers with the request's session bound to `SessionContext`, whatever ran before them. */
export class SessionInterceptor implements NestInterceptor {
  readonly #provider: SessionProvider;

  constructor(provider: SessionProvider) {
    this.#provider = provider;
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { middleware } = this.#provider;
    const aiSession = sessionOf(context);
    if (middleware === null || aiSession === undefined) return next.handle();
    return new Observable((subscriber) =>
      middleware.run(aiSession, () => next.handle().subscribe(subscriber)),
    );
  }
}
