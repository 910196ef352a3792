import type { SessionHealth, SessionProvider } from './session-provider.ts';

/** A health indicator for `@nestjs/terminus`: `() => sessionHealth.isHealthy('sessions')`. It asks the store. */
export class SessionHealthIndicator {
  readonly #provider: SessionProvider;

  constructor(provider: SessionProvider) {
    this.#provider = provider;
  }

  /** Up, or down with the reason; it does not throw. */
  async isHealthy<Key extends string = 'sessions'>(
    key: Key = 'sessions' as Key,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<Record<Key, SessionHealth>> {
    return { [key]: await this.#provider.health(options.timeoutMs) } as Record<Key, SessionHealth>;
  }
}
