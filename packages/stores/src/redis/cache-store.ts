import { type SessionStore, SessionStoreUnavailableError } from '@lexigram/ai-session';
import {
  type Changes,
  type ChangesPage,
  type Commit,
  type CommitResult,
  type DueItem,
  type DuePage,
  type EraseRequest,
  type EraseResult,
  type NewSession,
  OptimisticCommits,
  type ReportPage,
  type ReportQuery,
  type Wake,
} from '@lexigram/ai-session/store';
import { ReadingStore } from '../reading-store.ts';
import { ServerClock } from '../server-clock.ts';
import { Bell } from './bell.ts';
import { lastOf, readChanges } from './changes.ts';
import {
  isCluster,
  type RedisClient,
  type RedisClusterClient,
  type RunRedis,
  repeating,
  runnerOf,
  waitingForSlots,
} from './client.ts';
import { ClusterPlacement } from './cluster-placement.ts';
import { ClusterSilence } from './cluster-silence.ts';
import { Collector } from './collect.ts';
import { checkClient, connect, parseAddresses, runnersOfMasters } from './connect.ts';
import { Due } from './due.ts';
import { type RedisDurability, readDurability } from './durability.ts';
import { RedisEngine } from './engine.ts';
import { Eraser } from './erase.ts';
import { NoAnswer, toSessionError } from './faults.ts';
import { Keys } from './keys.ts';
import { parseRedisOptions, type RedisOptions, type RedisSettings } from './options.ts';
import { OneServer, type Placement } from './placement.ts';
import { Reader } from './reader.ts';
import { readReport } from './report.ts';
import { Rollup } from './usage.ts';
import { Watch } from './watch.ts';

/**
 * Sessions in Redis 6.2 or newer, or Valkey, on one server or on a cluster, through the package `redis` or a client of
 * your own. Any number of processes may use one prefix; a commit is one script. What an acknowledged turn survives is
 * what the servers' own persistence gives: see `durability`.
 */
export class CacheSessionStore extends ReadingStore implements SessionStore {
  /** What the server's persistence gave when the store was opened. */
  readonly durability: RedisDurability;
  /** Ours to close; null for a client of the caller's. */
  readonly #own: RedisClient | RedisClusterClient | null;
  readonly #settings: RedisSettings;
  readonly #run: RunRedis;
  readonly #keys: Keys;
  readonly #engine: RedisEngine;
  readonly #commits: OptimisticCommits;
  protected override readonly reader: Reader;
  readonly #silence: ClusterSilence | null;
  readonly #placement: Placement;
  readonly #eraser: Eraser;
  readonly #due: Due;
  readonly #collector: Collector;
  readonly #watch: Watch;
  readonly #rollup: Rollup;
  #closing: Promise<void> | undefined;

  private constructor(
    client: RedisClient | RedisClusterClient,
    isOwn: boolean,
    settings: RedisSettings,
    durability: RedisDurability,
  ) {
    super();
    this.durability = durability;
    this.#own = isOwn ? client : null;
    this.#settings = settings;
    const silentMs = isOwn && !isCluster(client) ? settings.callTimeoutMs : undefined;
    const call = runnerOf(client, silentMs);
    // A connection of the caller's is the caller's.
    this.#silence = isOwn && isCluster(client) ? new ClusterSilence(call, client) : null;
    const run = waitingForSlots(this.#silence?.run ?? call);
    const read = repeating(run);
    const keys = new Keys(settings.prefix);
    this.#run = run;
    this.#keys = keys;
    const clock = new ServerClock(settings.clock);
    const { callTimeoutMs } = settings;
    const now = (): number => clock.now();
    this.#placement = isCluster(client)
      ? new ClusterPlacement(run, read, keys, { callTimeoutMs, now })
      : new OneServer(run, read, keys);
    this.#engine = new RedisEngine(read, keys, clock, this.#placement, () => this.#committed());
    this.#commits = new OptimisticCommits(this.#engine, settings);
    this.reader = new Reader(read, this.#engine, this.#placement, keys, () => this.#until());
    this.#rollup = new Rollup(run, keys, () => this.#until());
    this.#eraser = new Eraser(run, this.#engine, keys);
    this.#due = new Due(read, this.#engine, keys);
    this.#collector = new Collector(read, this.#engine, this.#placement, keys, this.#due);
    const bell = new Bell(client, run, keys.bell, callTimeoutMs);
    this.#watch = new Watch(() => lastOf(run, keys, this.#until()), bell);
  }

  /**
   * Opens a Redis, or a cluster.
   *
   * @param source a URL like `redis://host:6379`, with `?prefix=name:` for another prefix than `lex:`; a list of the
   * addresses of some nodes of a cluster; or a connected client of `redis`, made by its `createClient` or its
   * `createCluster`, which stays yours to close
   * @throws SessionInputError; SessionUnsupportedError if the package is not installed; SessionStoreUnavailableError
   */
  static async open(
    source: string | readonly string[] | RedisClient | RedisClusterClient,
    options: RedisOptions = {},
  ): Promise<CacheSessionStore> {
    const addresses =
      typeof source === 'string' || Array.isArray(source)
        ? parseAddresses(source as string | readonly string[])
        : null;
    const settings = parseRedisOptions({ ...addresses?.options, ...options });
    const given = source as RedisClient | RedisClusterClient;
    if (addresses === null) checkClient(given);
    let client: RedisClient | RedisClusterClient | undefined;
    try {
      client = addresses === null ? given : await connect(addresses, settings);
      const until = performance.now() + settings.callTimeoutMs;
      const durability = await readDurability(await runnersOfMasters(client), until);
      const store = new CacheSessionStore(client, addresses !== null, settings, durability);
      // The first answer tells the server's time.
      await store.#engine.ask('-', [], store.#until());
      return store;
    } catch (error) {
      if (addresses !== null) client?.destroy();
      throw toSessionError(error);
    }
  }

  #committed(): void {
    this.#watch.committed();
    this.#rollup.committed();
  }

  #until(): number {
    return performance.now() + this.#settings.callTimeoutMs;
  }

  async create(session: NewSession): Promise<CommitResult> {
    this.checkOpen();
    return this.#commits.create(session);
  }

  async commit(sessionId: string, commit: Commit): Promise<CommitResult> {
    this.checkOpen();
    return this.#commits.commit(sessionId, commit);
  }

  async erase(sessionId: string, request: EraseRequest): Promise<EraseResult> {
    this.checkOpen();
    try {
      return await this.#ours(this.#eraser.erase(sessionId, request, this.#until()));
    } finally {
      this.#commits.forget(sessionId);
    }
  }

  async collect({
    before,
    limit,
  }: {
    readonly before: number;
    readonly limit: number;
  }): Promise<number> {
    this.checkOpen();
    const until = this.#until();
    await this.#ours(this.#placement.settle(until));
    await this.#ours(this.#rollup.fold(until));
    return this.#ours(this.#collector.collect(before, limit, until));
  }

  async due(page: DuePage): Promise<readonly DueItem[]> {
    this.checkOpen();
    return this.#ours(this.#due.due(page, this.#until()));
  }

  /** Errors of the client as ours. */
  async #ours<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw toSessionError(error);
    }
  }

  async report(query: ReportQuery): Promise<ReportPage> {
    this.checkOpen();
    return this.#ours(this.#report(query, this.#until()));
  }

  async #report(query: ReportQuery, until: number): Promise<ReportPage> {
    await this.#rollup.fold(until);
    return readReport(this.#run, this.#keys, query, until);
  }

  async changes(page: ChangesPage): Promise<Changes> {
    this.checkOpen();
    return this.#ours(readChanges(this.#run, this.reader, this.#keys, page, this.#until()));
  }

  watch(wake: (wake: Wake) => void): () => void {
    this.checkOpen();
    return this.#watch.add(wake);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#commits.settled();
    await this.#rollup.settled();
    await this.#placement.close();
    await this.#watch.close();
    this.#silence?.close();
    if (this.#own === null) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new NoAnswer('Redis did not answer')),
        this.#settings.callTimeoutMs,
      );
    });
    try {
      await Promise.race([this.#own.close(), late]);
    } catch {
      this.#own.destroy();
    } finally {
      clearTimeout(timer);
    }
  }

  protected override checkOpen(): void {
    if (this.#closing !== undefined) {
      throw new SessionStoreUnavailableError('closed', 'the store was closed');
    }
  }
}
