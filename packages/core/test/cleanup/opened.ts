import { SessionCleanupScheduler } from '../../src/cleanup/session-cleanup-scheduler.ts';
import type { SessionConfigInput } from '../../src/config/session-config.ts';
import { createSessions, type Sessions } from '../../src/create-sessions.ts';
import { InMemorySessionStore } from '../../src/store/memory.ts';
import type { SessionStore } from '../../src/store/port.ts';

/** A store whose clock a test moves, and services over it that see the same time. */
export interface Bench {
  now: number;
  readonly store: SessionStore;
  /** Services, with a sweeper, over the store or what stands before it. */
  open(
    config?: SessionConfigInput,
    calls?: Partial<SessionStore>,
  ): Promise<{ readonly sessions: Sessions; readonly cleanup: SessionCleanupScheduler }>;
}

export function openBench(): Bench {
  const bench: Bench = {
    now: Date.UTC(2026, 2, 1),
    store: new InMemorySessionStore({ clock: () => bench.now }),
    async open(config = { sessionTtl: 60 }, calls = {}) {
      const store = over(bench.store, calls);
      const sessions = await createSessions(config, { store });
      const cleanup = new SessionCleanupScheduler({ store, config }, { clock: () => bench.now });
      return { sessions, cleanup };
    },
  };
  return bench;
}

/** A store with some calls replaced. */
function over(store: SessionStore, calls: Partial<SessionStore>): SessionStore {
  return new Proxy(store, {
    get(target, name: keyof SessionStore) {
      const call = calls[name] ?? target[name];
      return (...args: unknown[]) => Reflect.apply(call, target, args);
    },
  });
}
