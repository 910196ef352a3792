import {
  BranchManager,
  CheckpointManager,
  parseSessionConfig,
  SessionAnalytics,
  SessionCleanupScheduler,
  SessionConfigError,
  type SessionConfigInput,
  SessionContext,
  SessionEvents,
  SessionManager,
  SessionMemory,
  SessionProjection,
  type Sessions,
} from '@lexigram/ai-session';
import { sessionMiddleware as fastifyMiddleware } from '@lexigram/ai-session-web/fastify';
import { sessionMiddleware } from '@lexigram/ai-session-web/node';
import {
  type DynamicModule,
  Inject,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  type Provider,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { SessionErrorFilter } from './session-error-filter.ts';
import { SessionEventBridge } from './session-event-bridge.ts';
import { SessionGuard } from './session-guard.ts';
import { SessionHealthIndicator } from './session-health-indicator.ts';
import { SessionInterceptor } from './session-interceptor.ts';
import type {
  SessionModuleAsyncOptions,
  SessionModuleExtras,
  SessionModuleOptions,
} from './session-module-options.ts';
import { SessionProvider } from './session-provider.ts';
import {
  getSessionToken,
  RUNTIME,
  SESSION_CONFIG,
  SESSION_STORE,
  SESSIONS,
  type ServiceClass,
} from './tokens.ts';

/** Services by the token under which they are injected, and where they are found. */
const services: readonly (readonly [ServiceClass | symbol, (sessions: Sessions) => unknown])[] = [
  [SESSIONS, (sessions) => sessions],
  [SESSION_STORE, ({ store }) => store],
  [SESSION_CONFIG, ({ config }) => config],
  [SessionManager, ({ manager }) => manager],
  [CheckpointManager, ({ checkpoints }) => checkpoints],
  [BranchManager, ({ branches }) => branches],
  [SessionProjection, ({ projection }) => projection],
  [SessionAnalytics, ({ analytics }) => analytics],
  [SessionContext, ({ context }) => context],
  [SessionEvents, ({ events }) => events],
  [SessionMemory, ({ memory }) => memory],
  [SessionCleanupScheduler, ({ cleanup }) => cleanup],
];

/**
 * Sessions in a Nest application: the services by injection of their classes, a session for each request, and the
 * store closed when the application has shut down.
 */
export class SessionModule implements NestModule {
  readonly #provider: SessionProvider;
  readonly #host: HttpAdapterHost;

  constructor(provider: SessionProvider, host: HttpAdapterHost) {
    this.#provider = provider;
    this.#host = host;
  }

  /** Opens sessions by a configuration; without one, in memory. */
  static configure(
    config?: SessionConfigInput,
    options: Omit<SessionModuleOptions, 'config'> & SessionModuleExtras = {},
  ): DynamicModule {
    return SessionModule.forRoot({ ...options, config });
  }

  /** For tests: in memory unless the configuration says otherwise, and nothing sweeps. */
  static stub(config?: SessionConfigInput): DynamicModule {
    return SessionModule.forRoot({ config, enableCleanupScheduler: false });
  }

  /** @throws SessionConfigError at once for a configuration that cannot be used */
  static forRoot(options: SessionModuleOptions & SessionModuleExtras = {}): DynamicModule {
    const { isGlobal, name, ...rest } = options;
    if (!parseSessionConfig(rest.config).enabled) return { module: SwitchedOffModule };
    const open = { provide: RUNTIME, useFactory: () => SessionProvider.open(rest) };
    return registered(open, { isGlobal, name });
  }

  /** With options that a factory makes, once what it needs is there. With `enabled: false` all services are null. */
  static forRootAsync(options: SessionModuleAsyncOptions): DynamicModule {
    const { imports = [], inject = [], isGlobal, name, useFactory } = options;
    const open = {
      provide: RUNTIME,
      inject: [...inject],
      useFactory: async (...args: unknown[]) => SessionProvider.open(await useFactory(...args)),
    };
    return { ...registered(open, { isGlobal, name }), imports };
  }

  configure(consumer: MiddlewareConsumer): void {
    const { middleware } = this.#provider;
    if (middleware === null) return;
    const { httpAdapter } = this.#host;
    if (served.has(httpAdapter)) {
      const message = 'another instance gives requests their session already; one may';
      throw new SessionConfigError([{ path: 'middleware', message }]);
    }
    served.add(httpAdapter);
    // Fastify's own hook runs for each request, whatever its path; Nest's middleware there would be told by path.
    if (httpAdapter.getType() === 'fastify') {
      httpAdapter.getInstance().register(fastifyMiddleware(middleware), { errors: false });
    } else {
      consumer.apply(sessionMiddleware(middleware)).forRoutes('{*splat}');
    }
  }
}

/** Servers whose requests have their session. */
const served = new WeakSet<object>();

/** What is left of a module that is switched off. */
class SwitchedOffModule {}

Module({})(SessionModule);
Module({})(SwitchedOffModule);
Inject(RUNTIME)(SessionModule, undefined, 0);
Inject(HttpAdapterHost)(SessionModule, undefined, 1);

function registered(open: Provider, { isGlobal = true, name }: SessionModuleExtras): DynamicModule {
  const provided: Provider[] = services.map(([service, find]) => ({
    provide: getSessionToken(service, name),
    inject: [RUNTIME],
    useFactory: ({ sessions }: SessionProvider) => (sessions === null ? null : find(sessions)),
  }));
  provided.push({ provide: getSessionToken(SessionProvider, name), useExisting: RUNTIME });
  provided.push(made(getSessionToken(SessionHealthIndicator, name), SessionHealthIndicator));
  return {
    module: SessionModule,
    global: isGlobal,
    providers: [
      open,
      ...provided,
      {
        provide: SessionEventBridge,
        inject: [RUNTIME, ModuleRef],
        useFactory: (provider: SessionProvider, modules: ModuleRef) =>
          new SessionEventBridge(provider, modules, name),
      },
      made(APP_GUARD, SessionGuard),
      made(APP_INTERCEPTOR, SessionInterceptor),
      {
        provide: APP_FILTER,
        inject: [HttpAdapterHost],
        useFactory: (host: HttpAdapterHost) => new SessionErrorFilter(host),
      },
    ],
    exports: provided.map((provider) => (provider as { provide: symbol }).provide),
  };
}

function made<T>(
  token: ReturnType<typeof getSessionToken>,
  service: new (provider: SessionProvider) => T,
): Provider {
  return {
    provide: token,
    inject: [RUNTIME],
    useFactory: (provider: SessionProvider) => new service(provider),
  };
}
