import {
  isCluster,
  type RedisClient,
  type RedisClusterClient,
  type RunRedis,
  type Subscriber,
} from './client.ts';

/** How long commits of a process wait for each other before it rings once for all. */
const gatherMs = 3;
/** How long it keeps quiet where nobody listens; who begins to listen meanwhile looks by itself. */
const quietMs = 500;

/**
 * Tells other processes that something was committed, by a message with nothing in it: the store says what. Messages
 * are lost with the connection that they come on, so that who listens also looks by itself now and then.
 */
export class Bell {
  readonly #client: RedisClient | RedisClusterClient;
  readonly #run: RunRedis;
  readonly #channel: string;
  readonly #callTimeoutMs: number;
  #subscriber: Subscriber | null = null;
  #listener: (() => void) | null = null;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    client: RedisClient | RedisClusterClient,
    run: RunRedis,
    channel: string,
    callTimeoutMs: number,
  ) {
    this.#client = client;
    this.#run = run;
    this.#channel = channel;
    this.#callTimeoutMs = callTimeoutMs;
  }

  /** Rings soon. Nobody waits for it. */
  ring(): void {
    if (this.#timer !== undefined || this.#closed) return;
    this.#later(gatherMs, () => void this.#ringNow());
  }

  async #ringNow(): Promise<void> {
    const until = performance.now() + this.#callTimeoutMs;
    const heard = await this.#run(['PUBLISH', this.#channel, ''], until).catch(() => null);
    this.#timer = undefined;
    // A node of a cluster only knows of those that listen on it.
    if (heard !== 0 || isCluster(this.#client)) return;
    this.#later(quietMs, () => {
      this.#timer = undefined;
    });
  }

  #later(ms: number, work: () => void): void {
    if (this.#closed) return;
    this.#timer = setTimeout(work, ms);
    this.#timer.unref();
  }

  /** Whether rings are heard. */
  get isListening(): boolean {
    return this.#listener !== null && this.#subscriber?.isReady === true;
  }

  /** Calls `listener` at each ring, from now on, if the connection for it can be had. */
  async listen(listener: () => void): Promise<void> {
    if (this.#listener !== null || this.#closed) return;
    const hear = (): void => listener();
    this.#listener = hear;
    try {
      const subscriber = await this.#connect();
      await subscriber.subscribe(this.#channel, hear);
    } catch {
      if (this.#listener === hear) this.#listener = null;
    }
  }

  /** A connection of its own: one that listens does nothing else. A cluster's client makes it itself. */
  async #connect(): Promise<Subscriber> {
    if (this.#subscriber !== null) return this.#subscriber;
    if (isCluster(this.#client)) {
      this.#subscriber = this.#client;
      return this.#client;
    }
    const subscriber = this.#client.duplicate();
    subscriber.on('error', () => {});
    this.#subscriber = subscriber;
    try {
      await subscriber.connect();
      return subscriber;
    } catch (error) {
      this.#subscriber = null;
      subscriber.destroy();
      throw error;
    }
  }

  /** Hears no ring any more. */
  async quiet(): Promise<void> {
    const listener = this.#listener;
    this.#listener = null;
    if (listener === null || this.#subscriber === null) return;
    await this.#subscriber.unsubscribe(this.#channel, listener).catch(() => {});
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const subscriber = this.#subscriber;
    if (subscriber === null) return;
    await this.quiet();
    this.#subscriber = null;
    if (!isCluster(this.#client)) (subscriber as RedisClient).destroy();
  }
}
