import type { SessionConfigInput, SessionParts } from '@lexigram/ai-session';
import type { SessionMiddlewareOptions } from '@lexigram/ai-session-web';
import type { InjectionToken, ModuleMetadata } from '@nestjs/common';

/** How an instance of sessions is opened. */
export interface SessionModuleOptions {
  /** As `createSessions` takes it. With `enabled: false` nothing is registered. */
  readonly config?: SessionConfigInput | undefined;
  readonly parts?: SessionParts | undefined;
  /** Whether this process sweeps, every `cleanupIntervalS`; true. */
  readonly enableCleanupScheduler?: boolean | undefined;
  /**
   * Gives each request its session, with a guard, an interceptor and a filter for the whole application. Left out,
   * requests have none. Of several instances one may have it.
   */
  // biome-ignore lint/suspicious/noExplicitAny: the platform decides what a request is.
  readonly middleware?: SessionMiddlewareOptions<any> | undefined;
}

/** How an instance is registered. */
export interface SessionModuleExtras {
  /** Tells several instances apart: their services are injected by `getSessionToken(Service, name)`. */
  readonly name?: string | undefined;
  /** Whether other modules get the services without importing this one; true. */
  readonly isGlobal?: boolean | undefined;
}

/** Options that are known only when the application starts. */
export interface SessionModuleAsyncOptions
  extends SessionModuleExtras,
    Pick<ModuleMetadata, 'imports'> {
  readonly inject?: (InjectionToken | { token: InjectionToken; optional: boolean })[] | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: whatever `inject` names.
  readonly useFactory: (...args: any[]) => SessionModuleOptions | Promise<SessionModuleOptions>;
}
