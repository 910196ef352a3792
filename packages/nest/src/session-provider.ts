import { createSessions, parseSessionConfig, type Sessions } from '@lexigram/ai-session';
import { SessionMiddleware } from '@lexigram/ai-session-web';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { SessionModuleOptions } from './session-module-options.ts';

/** Whether an instance can answer. */
export interface SessionHealth {
  readonly status: 'up' | 'down';
  /** Milliseconds that the store took. */
  readonly responseTimeMs?: number;
  readonly message?: string;
}

/** How long a store may take to say that it is there. */
const healthTimeoutMs = 2_000;

/** One instance of sessions in an application: opened when it starts, closed when it has shut down. */
export class SessionProvider implements OnApplicationShutdown {
  /** Null where sessions are switched off. */
  readonly sessions: Sessions | null;
  /** Null where requests have no session. */
  // biome-ignore lint/suspicious/noExplicitAny: the platform decides what a request is.
  readonly middleware: SessionMiddleware<any> | null;

  private constructor(sessions: Sessions | null, options: SessionModuleOptions) {
    this.sessions = sessions;
    const { middleware } = options;
    this.middleware =
      sessions === null || middleware === undefined
        ? null
        : new SessionMiddleware(sessions, middleware);
  }

  /** @throws SessionConfigError, SessionStoreUnavailableError */
  static async open(options: SessionModuleOptions): Promise<SessionProvider> {
    if (!parseSessionConfig(options.config).enabled) return new SessionProvider(null, options);
    const sessions = await createSessions(options.config, options.parts);
    try {
      if (options.enableCleanupScheduler === false) await sessions.cleanup.stop();
      return new SessionProvider(sessions, options);
    } catch (error) {
      await sessions.close();
      throw error;
    }
  }

  /** Asks the store; it answers in time, or is down. */
  async health(timeoutMs: number = healthTimeoutMs): Promise<SessionHealth> {
    if (this.sessions === null) return { status: 'up', message: 'switched off' };
    const started = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const fail = (): void => reject(new Error(`no answer within ${timeoutMs} ms`));
      timer = setTimeout(fail, timeoutMs);
    });
    try {
      await Promise.race([this.sessions.manager.list({ limit: 1 }), late]);
      return { status: 'up', responseTimeMs: Math.round(performance.now() - started) };
    } catch (error) {
      return { status: 'down', message: (error as Error).message };
    } finally {
      clearTimeout(timer);
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.sessions?.close();
  }
}
