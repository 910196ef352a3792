import { SessionInputError, SessionStoreUnavailableError } from '@lexigram/ai-session';
import type {
  PostgresClient,
  PostgresClientFactory,
  PostgresConnection,
  PostgresPool,
} from './client.ts';

/** A setting of the server, for one connection. */
export type ServerSetting = readonly [name: string, value: string];

/** How long a connection that nobody uses stays. */
export const idleMs = 30_000;

/** How long the end of a connection is waited for. */
const endMs = 1_000;

/** Clients that some factory made: each is taken once. */
const taken = new WeakSet<PostgresConnection>();

interface Waiting {
  readonly resolve: (client: PostgresClient) => void;
  readonly reject: (error: unknown) => void;
}

interface Idle {
  readonly client: PostgresClient;
  readonly timer: NodeJS.Timeout;
}

interface ClientPoolOptions {
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
}

/**
 * Lends the clients that a factory makes. It makes one when none is idle and there are fewer than it may have, and
 * ends those that broke, that nobody used for a while, and all of them in the end.
 */
export class ClientPool implements PostgresPool {
  readonly #factory: PostgresClientFactory;
  readonly #most: number;
  readonly #connectMs: number;
  readonly #settings: readonly ServerSetting[];
  /** The one that was used last comes last, and is lent first. */
  readonly #idle: Idle[] = [];
  readonly #waiting: Waiting[] = [];
  /** Clients that are there or being made. */
  #size = 0;
  #isEnded = false;
  readonly #endings = new Set<Promise<unknown>>();

  /** @param settings told to the server on each new connection */
  constructor(
    factory: PostgresClientFactory,
    { connectTimeoutMs, maxConnections }: ClientPoolOptions,
    settings: readonly ServerSetting[],
  ) {
    this.#factory = factory;
    this.#most = maxConnections;
    this.#connectMs = connectTimeoutMs;
    this.#settings = settings;
  }

  connect(): Promise<PostgresClient> {
    if (this.#isEnded) return Promise.reject(new Error('the pool was ended'));
    const idle = this.#idle.pop();
    if (idle !== undefined) {
      clearTimeout(idle.timer);
      return Promise.resolve(idle.client);
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#makeNext();
    });
  }

  /** Makes a client for whoever waits longest, if there may be one more. */
  #makeNext(): void {
    if (this.#size >= this.#most) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    this.#size += 1;
    this.#make().then(waiting.resolve, (error) => {
      waiting.reject(error);
      this.#gone();
    });
  }

  #gone(): void {
    this.#size -= 1;
    this.#makeNext();
  }

  async #make(): Promise<PostgresClient> {
    const late = new SessionStoreUnavailableError(
      'unreachable',
      `the client factory made no client within ${this.#connectMs} ms`,
    );
    // A factory that throws at once is no other than one whose promise rejects.
    const making = (async () => this.#factory())();
    const connection = await settledIn(this.#connectMs, making, late).catch((error) => {
      // Should it come after all, nobody needs it any more.
      if (error === late) making.then((it) => this.#end(it)).catch(() => {});
      throw error;
    });
    checkConnection(connection);
    connection.on?.('error', () => this.#broke(client));
    const client = this.#lend(connection);
    const silent = new SessionStoreUnavailableError(
      'unreachable',
      `a client of the factory did not answer within ${this.#connectMs} ms; the factory must connect it`,
    );
    try {
      await settledIn(this.#connectMs, this.#greet(connection), silent);
    } catch (error) {
      this.#end(connection);
      throw error;
    }
    if (!this.#isEnded) return client;
    this.#end(connection);
    throw new Error('the pool was ended');
  }

  /** Shows that it is connected, and tells the server how the store wants it. */
  async #greet(connection: PostgresConnection): Promise<void> {
    const settings = this.#settings.map(
      (_, i) => `set_config($${2 * i + 1}, $${2 * i + 2}, false)`,
    );
    const text = `SELECT ${settings.length === 0 ? '1 AS one' : settings.join(', ')}`;
    await connection.query({ text, values: this.#settings.flat() });
  }

  #lend(connection: PostgresConnection): PostgresClient {
    const client: PostgresClient = {
      query: (query) => connection.query(query),
      unref: () => connection.unref?.(),
      release: (destroy = false) => {
        if (destroy === false && !this.#isEnded) {
          this.#giveBack(client);
          return;
        }
        this.#end(connection);
        this.#gone();
      },
    };
    if (typeof connection.on !== 'function') return client;
    client.on = (event, listener) => connection.on?.(event, listener);
    client.off = (event, listener) => connection.off?.(event, listener);
    return client;
  }

  #giveBack(client: PostgresClient): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      waiting.resolve(client);
      return;
    }
    const timer = setTimeout(() => this.#broke(client), idleMs);
    timer.unref();
    this.#idle.push({ client, timer });
  }

  /** One that is lent is destroyed by whoever has it; one that is idle is of no more use. */
  #broke(client: PostgresClient): void {
    const at = this.#idle.findIndex((it) => it.client === client);
    const [idle] = at === -1 ? [] : this.#idle.splice(at, 1);
    if (idle === undefined) return;
    clearTimeout(idle.timer);
    client.release(true);
  }

  #end(connection: PostgresConnection): void {
    // It may be broken in any way: nobody waits for long, and nobody hears of it.
    const ending = settledIn(
      endMs,
      (async () => connection.end())(),
      new Error('it did not end'),
    ).catch(() => {});
    this.#endings.add(ending);
    void ending.then(() => this.#endings.delete(ending));
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    for (const { reject } of this.#waiting.splice(0)) reject(new Error('the pool was ended'));
    for (const { client } of [...this.#idle]) this.#broke(client);
    await Promise.all(this.#endings);
  }
}

/** @throws SessionInputError if it is nothing that can be handed over */
function checkConnection(made: PostgresConnection): void {
  const { end, query, release, totalCount } = (made ?? {}) as unknown as Record<string, unknown>;
  const refuse = (what: string): never => {
    throw new SessionInputError('source', `the client factory ${what}`);
  };
  if (typeof query !== 'function' || typeof end !== 'function') {
    refuse('must resolve with a connected client, which has query() and end()');
  }
  if (typeof totalCount === 'number') refuse('made a pool; give the pool itself');
  if (typeof release === 'function') refuse('took a client from a pool; give the pool itself');
  if (taken.has(made)) refuse('gave a client for the second time; each call must make a new one');
  taken.add(made);
}

function settledIn<T>(ms: number, promise: Promise<T>, late: Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
