import {
  SessionInputError,
  type SessionStore,
  SessionStoreUnavailableError,
} from '@lexigram/ai-session';
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
import { lastOf, readChanges } from './changes.ts';
import { connect, type RedisClient, type RunRedis, runnerOf } from './client.ts';
import { type RedisDurability, readDurability } from './durability.ts';
import { RedisEngine } from './engine.ts';
import { NoAnswer, toSessionError } from './faults.ts';
import { Keys } from './keys.ts';
import { parseRedisOptions, type RedisOptions, type RedisSettings } from './options.ts';
import { Reader } from './reader.ts';
import { readReport } from './report.ts';
import { Sweep } from './sweep.ts';
import { Rollup } from './usage.ts';
import { Watch } from './watch.ts';

/**
 * Sessions in Redis 6.2 or newer, or Valkey, through the package `redis` or a client of your own. Any number of
 * processes may use one prefix; a commit is one script. What an acknowledged turn survives is what the server's own
 * persistence gives: see `durability`.
 */
export class CacheSessionStore extends ReadingStore implements SessionStore {
  /** What the server's persistence gave when the store was opened. */
  readonly durability: RedisDurability;
  /** Ours to close; null for a client of the caller's. */
  readonly #own: RedisClient | null;
  readonly #settings: RedisSettings;
  readonly #run: RunRedis;
  readonly #keys: Keys;
  readonly #engine: RedisEngine;
  readonly #commits: OptimisticCommits;
  protected override readonly reader: Reader;
  readonly #sweep: Sweep;
  readonly #watch: Watch;
  readonly #rollup: Rollup;
  #closing: Promise<void> | undefined;

  private constructor(
    run: RunRedis,
    own: RedisClient | null,
    settings: RedisSettings,
    durability: RedisDurability,
  ) {
    super();
    this.durability = durability;
    this.#own = own;
    this.#settings = settings;
    this.#run = run;
    this.#keys = new Keys(settings.prefix);
    const clock = new ServerClock(settings.clock);
    this.#engine = new RedisEngine(run, this.#keys, clock, () => this.#committed());
    this.#commits = new OptimisticCommits(this.#engine, settings);
    this.reader = new Reader(run, this.#engine, this.#keys, () => this.#until());
    this.#rollup = new Rollup(run, this.#keys, () => this.#until());
    this.#sweep = new Sweep(run, this.#engine, this.#keys);
    this.#watch = new Watch(() => lastOf(run, this.#keys, this.#until()));
  }

  /**
   * Opens a Redis.
   *
   * @param source a URL like `redis://host:6379`, with `?prefix=name:` for another prefix than `lex:`, or a connected
   * client of `redis`, which stays yours to close
   * @throws SessionInputError; SessionUnsupportedError if the package is not installed; SessionStoreUnavailableError
   */
  static async open(
    source: string | RedisClient,
    options: RedisOptions = {},
  ): Promise<CacheSessionStore> {
    const isUrl = typeof source === 'string';
    const url = isUrl ? parseUrl(source) : null;
    const settings = parseRedisOptions({ ...url?.options, ...options });
    if (!isUrl && !isClient(source)) throw unusable();
    let client: RedisClient | undefined;
    try {
      client = url === null ? (source as RedisClient) : await connect(url.href, settings);
      const run = runnerOf(client, isUrl ? settings.callTimeoutMs : undefined);
      const durability = await readDurability(run, performance.now() + settings.callTimeoutMs);
      const store = new CacheSessionStore(run, isUrl ? client : null, settings, durability);
      // The first answer tells the server's time.
      await store.#engine.ask('-', [], store.#until());
      return store;
    } catch (error) {
      if (isUrl) client?.destroy();
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
      return await this.#ours(this.#sweep.erase(sessionId, request, this.#until()));
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
    await this.#ours(this.#rollup.fold(until));
    return this.#ours(this.#sweep.collect(before, limit, until));
  }

  async due(page: DuePage): Promise<readonly DueItem[]> {
    this.checkOpen();
    return this.#ours(this.#sweep.due(page, this.#until()));
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
    this.#watch.close();
    await this.#commits.settled();
    await this.#rollup.settled();
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

function parseUrl(source: string): { readonly href: string; readonly options: RedisOptions } {
  const url = URL.canParse(source) ? new URL(source) : null;
  if (url === null || (url.protocol !== 'redis:' && url.protocol !== 'rediss:')) throw unusable();
  if (!/^\/?\d{0,9}$/.test(url.pathname)) throw unusable();
  const prefix = url.searchParams.get('prefix');
  url.searchParams.delete('prefix');
  const [unknown] = url.searchParams.keys();
  if (unknown !== undefined) {
    throw new SessionInputError('source', `has the unknown parameter '${unknown.slice(0, 40)}'`);
  }
  return { href: url.href, options: prefix === null ? {} : { prefix } };
}

/** Pools, and clients of a cluster or of sentinels, take commands in another way. */
function isClient(source: RedisClient): boolean {
  if (typeof source !== 'object' || source === null) return false;
  const isOne = typeof source.sendCommand === 'function' && typeof source.isReady === 'boolean';
  return isOne && !('masters' in source) && !('getMasterNode' in source);
}

function unusable(): SessionInputError {
  return new SessionInputError('source', "expected a URL like 'redis://host:6379', or a client");
}
