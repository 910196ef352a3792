import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { sessionOf } from './request-session.ts';
import type { SessionProvider } from './session-provider.ts';

/**
 * Lets a request through once its session is known. Routes are not told apart by their path, so that no other
 * spelling of a path gets by: a request that reached a handler without a session does not get in.
 */
export class SessionGuard implements CanActivate {
  readonly #provider: SessionProvider;

  constructor(provider: SessionProvider) {
    this.#provider = provider;
  }

  canActivate(context: ExecutionContext): boolean {
    const guarded = this.#provider.middleware !== null && context.getType() === 'http';
    return !guarded || sessionOf(context) !== undefined;
  }
}
