import type { Prices } from './analytics/model-price.ts';
import { type PriceOptions, toPrices } from './analytics/prices.ts';
import { type ScopedSessionAnalytics, SessionAnalytics } from './analytics/session-analytics.ts';
import { BranchManager } from './branching/branch-manager.ts';
import { CheckpointManager } from './checkpointing/checkpoint-manager.ts';
import { SessionCleanupScheduler } from './cleanup/session-cleanup-scheduler.ts';
import {
  type CacheConfig,
  type DatabaseConfig,
  parseSessionConfig,
  type SessionConfig,
  type SessionConfigInput,
} from './config/session-config.ts';
import { type ScopedSessionContext, SessionContext } from './context/session-context.ts';
import { SessionUnsupportedError } from './errors.ts';
import { hubOf } from './events/event-hub.ts';
import { Listeners } from './events/listeners.ts';
import { type ScopedSessionEvents, SessionEvents } from './events/session-events.ts';
import type { Written } from './events/written.ts';
import { type GroupOptions, GroupSession } from './groups/group-session.ts';
import { parseOwner } from './manager/create.ts';
import { checkSchemas, checkStore, Engine, type SessionSchemas } from './manager/engine.ts';
import { type ScopedSessionManager, SessionManager } from './manager/session-manager.ts';
import type { MemoryConsolidator } from './memory/memory-consolidator.ts';
import { checkParts, MemoryWork } from './memory/memory-work.ts';
import { type ScopedSessionMemory, SessionMemory } from './memory/session-memory.ts';
import type { WorkingMemory } from './memory/working-memory.ts';
import { SessionProjection } from './projection/session-projection.ts';
import { checkOptions } from './session/options.ts';
import type { AnySession, SessionTypes } from './session/state.ts';
import { InMemorySessionStore } from './store/memory.ts';
import type { SessionStore } from './store/port.ts';
import type { SessionLogger } from './telemetry/logger.ts';
import type { TelemetryOptions } from './telemetry/open-telemetry.ts';
import { openWatch, parseWatch } from './telemetry/watch.ts';

/** Parts that replace what the configuration would open. */
export interface SessionParts<T extends SessionTypes = AnySession> {
  /** A store of your own; closing stays yours. */
  readonly store?: SessionStore | undefined;
  /** Standard Schemas that type and check metadata and variables. */
  readonly schemas?: SessionSchemas<T> | undefined;
  /**
   * Fills in the cost of turns that bring a model and usage and no cost. `true`: by the prices of
   * `@pydantic/genai-prices`, which is to be installed; options put a table of your own before them; or prices
   * of your own making. Without it, turns cost what they say.
   */
  readonly prices?: boolean | PriceOptions | Prices | undefined;
  /** Takes the lines of a log; without one nothing is logged. */
  readonly logger?: SessionLogger | undefined;
  /** How spans and metrics are made, if `@opentelemetry/api` is installed. */
  readonly telemetry?: TelemetryOptions | undefined;
  /** Gets each turn that is added; one in this process, within bounds, if left out; null for none. */
  readonly workingMemory?: WorkingMemory | null | undefined;
  /** Runs for each session that ends, unless `consolidateOnClose` is off; none if left out. */
  readonly consolidator?: MemoryConsolidator | null | undefined;
}

/** The services in which only what one owner owns exists. */
export interface ScopedSessions<T extends SessionTypes = AnySession> {
  readonly manager: ScopedSessionManager<T>;
  readonly checkpoints: CheckpointManager<T>;
  readonly branches: BranchManager<T>;
  readonly projection: SessionProjection;
  readonly analytics: ScopedSessionAnalytics;
  readonly context: ScopedSessionContext<T>;
  readonly events: ScopedSessionEvents;
  readonly memory: ScopedSessionMemory;
  /** A group over this manager; the agents are added to it. */
  group(options?: GroupOptions): GroupSession;
}

/** All services over one store. `await using` closes it. */
export interface Sessions<T extends SessionTypes = AnySession> extends AsyncDisposable {
  readonly manager: SessionManager<T>;
  readonly checkpoints: CheckpointManager<T>;
  readonly branches: BranchManager<T>;
  readonly projection: SessionProjection;
  readonly analytics: SessionAnalytics;
  readonly context: SessionContext<T>;
  readonly events: SessionEvents;
  readonly memory: SessionMemory;
  /** A group over this manager; the agents are added to it. */
  group(options?: GroupOptions): GroupSession;
  /** The sweep, which runs by itself every `cleanupIntervalS`; `cleanup.stop()` leaves it to others. */
  readonly cleanup: SessionCleanupScheduler;
  readonly store: SessionStore;
  readonly config: SessionConfig;
  /** The same services for one owner, who is left out of the calls. */
  as(owner: { readonly tenantId?: string | null; readonly userId: string }): ScopedSessions<T>;
  /**
   * Ends the sweep and all subscriptions, waits up to ten seconds for consolidations on their way, and closes the store unless it was
   * given as a part.
   */
  close(): Promise<void>;
}

/**
 * Opens sessions over the store that the configuration names; in memory if it names none.
 *
 * @throws SessionConfigError with every problem of the configuration; SessionUnsupportedError if it is not
 * enabled, or if the backend's package is not installed; SessionStoreUnavailableError
 */
export async function createSessions<T extends SessionTypes = AnySession>(
  config?: SessionConfigInput,
  parts?: SessionParts<T>,
): Promise<Sessions<T>> {
  const given = checkOptions(
    parts,
    ['store', 'schemas', 'prices', 'logger', 'telemetry', 'workingMemory', 'consolidator'],
    'parts',
  );
  const ownStore = given.store === undefined ? undefined : checkStore(given.store, 'parts.store');
  const schemas = checkSchemas(given.schemas, 'parts.schemas');
  const watched = parseWatch(given, 'parts');
  const checked = parseSessionConfig(config);
  if (!checked.enabled) {
    throw new SessionUnsupportedError(
      'Sessions are switched off: the configuration has enabled: false',
    );
  }
  const { consolidator, workingMemory } = given as SessionParts;
  const memoryParts = checkParts({ consolidator, workingMemory });
  const prices = await toPrices(given.prices, 'parts.prices');
  const { observe, onFailure, onFault } = await openWatch(watched);
  const store = ownStore ?? (await openStore(checked));
  const writes = new Listeners<Written>(onFault);
  const engine = new Engine(observe(store), checked, schemas, undefined, writes, prices);
  const work = new MemoryWork(engine, { ...memoryParts, onFailure });
  work.listenTo(engine);
  const own = services<T>(engine, work);
  const cleanup = new SessionCleanupScheduler(engine, { memory: own.memory, onFailure });
  cleanup.start();
  const close = async (): Promise<void> => {
    await Promise.all([cleanup.stop(), own.memory.close()]);
    hubOf(engine).close();
    if (ownStore === undefined) await store.close();
  };
  return Object.freeze({
    ...own,
    cleanup,
    store,
    config: checked,
    as: (owner: { readonly tenantId?: string | null; readonly userId: string }) => {
      const given = checkOptions(owner, ['tenantId', 'userId'], 'owner');
      return Object.freeze(
        services<T>(engine.as(parseOwner(given)), work),
      ) as unknown as ScopedSessions<T>;
    },
    close,
    [Symbol.asyncDispose]: close,
  });
}

function services<T extends SessionTypes>(engine: Engine, work: MemoryWork) {
  const manager = new SessionManager<T>(engine);
  return {
    manager,
    checkpoints: new CheckpointManager<T>(engine),
    branches: new BranchManager<T>(engine),
    projection: new SessionProjection(engine),
    analytics: new SessionAnalytics(engine),
    context: new SessionContext<T>(engine),
    events: new SessionEvents(engine),
    memory: new SessionMemory(engine, work),
    group: (options?: GroupOptions): GroupSession => {
      const known = ['turnManager', 'roleIsolation', 'stopWhen', 'askBefore', 'leaseMs'];
      return new GroupSession({ ...checkOptions(options, known), manager });
    },
  };
}

async function openStore(config: SessionConfig): Promise<SessionStore> {
  if (config.backend === 'in_memory') return new InMemorySessionStore();
  const { CacheSessionStore, DatabaseSessionStore } = await importStores(config.backend);
  if (config.backend === 'cache') return CacheSessionStore.open(sourceOf(config.cache));
  const { synchronous, url } = config.database as DatabaseConfig;
  return DatabaseSessionStore.open(url, { synchronous });
}

/** One address, or those of some nodes of a cluster. */
function sourceOf(cache: CacheConfig | null): string | readonly string[] {
  return cache !== null && 'nodes' in cache ? cache.nodes : (cache?.url ?? '');
}

/** The one optional peer that core knows; loaded only when a configuration asks for it. */
interface StoresModule {
  readonly DatabaseSessionStore: {
    open(
      url: string,
      options?: { readonly synchronous?: 'full' | 'normal' },
    ): Promise<SessionStore>;
  };
  readonly CacheSessionStore: {
    open(source: string | readonly string[]): Promise<SessionStore>;
  };
}

async function importStores(backend: string): Promise<StoresModule> {
  const name: string = '@lexigram/ai-session-stores';
  try {
    return (await import(name)) as StoresModule;
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new SessionUnsupportedError(
      `The backend '${backend}' needs the package ${name}; install it with: npm install ${name}`,
      { cause },
    );
  }
}
