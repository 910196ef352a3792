import type { RedisClient, RedisClusterClient, RunRedis } from './client.ts';

/** How long a call may wait before the masters are asked whether they are there, and how long they have to answer. */
const patienceMs = 1_000;
/** How often, at most, the map of the cluster is drawn anew. */
const pauseMs = 2_000;
/** How long it waits where no node can be reached. */
const retryMs = 250;

/**
 * Calls to a cluster whose nodes may fall silent without closing a connection. While a call waits, the masters are
 * asked for a sign of life; if one gives none, the client connects anew and learns who is master of what. What was
 * sent is lost then, and its callers find out what became of it.
 */
export class ClusterSilence {
  readonly #call: RunRedis;
  readonly #client: RedisClusterClient;
  #looking = false;
  #last = Number.NEGATIVE_INFINITY;
  #connecting: Promise<void> | null = null;
  #closed = false;

  constructor(call: RunRedis, client: RedisClusterClient) {
    this.#call = call;
    this.#client = client;
  }

  readonly run: RunRedis = async (command, until) => {
    if (this.#connecting !== null) await before(until, this.#connecting);
    const timer = setInterval(() => void this.#look(), patienceMs);
    timer.unref();
    try {
      return await this.#call(command, until);
    } finally {
      clearInterval(timer);
    }
  };

  /** Connects no more. */
  close(): void {
    this.#closed = true;
  }

  async #look(): Promise<void> {
    const isBusy = this.#looking || this.#connecting !== null;
    if (isBusy || performance.now() - this.#last < pauseMs) return;
    this.#looking = true;
    try {
      const alive = await Promise.all(this.#client.masters.map((node) => this.#isAlive(node)));
      if (!alive.includes(false) || this.#closed) return;
      this.#last = performance.now();
      this.#connecting = this.#connect();
    } finally {
      this.#looking = false;
    }
  }

  async #isAlive(node: unknown): Promise<boolean> {
    const asked = this.#client
      .nodeClient(node as never)
      .then((one) => (one as RedisClient).sendCommand(['PING']))
      .then(
        () => true,
        () => false,
      );
    return (await before(performance.now() + patienceMs, asked)) ?? false;
  }

  /** A cluster of which no node answers now may do so later. */
  async #connect(): Promise<void> {
    this.#client.destroy();
    while (!this.#closed) {
      try {
        await this.#client.connect();
        break;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
    if (this.#closed) this.#client.destroy();
    this.#connecting = null;
  }
}

/** What comes of some work if it ends in time. */
async function before<T>(until: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), until - performance.now());
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
