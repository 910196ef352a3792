import type { RedisClientType } from 'redis';
import type { RedisServer } from './redis-server.ts';

/** A busy machine may take its time. */
const answerMs = 10_000;

/** Asks a node of a cluster, over one connection that is made anew where it was lost. */
export class NodeClient {
  readonly #node: RedisServer;
  #connected: Promise<RedisClientType> | undefined;

  constructor(node: RedisServer) {
    this.#node = node;
  }

  /** What it answers to some commands, as text, lists with a line for each item. @throws also if it is paused or does not run */
  async ask(...commands: readonly (readonly string[])[]): Promise<readonly string[]> {
    const { isPaused, pid, url } = this.#node;
    const silence = new Error(`The node at ${url} does not answer`);
    if (pid === 0 || isPaused) throw silence;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(silence), answerMs);
    });
    try {
      return await Promise.race([this.#send(commands), late]);
    } catch (error) {
      this.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #send(commands: readonly (readonly string[])[]): Promise<readonly string[]> {
    const client = await this.#ready();
    const answers: string[] = [];
    for (const command of commands) {
      const answer = await client.sendCommand([...command]);
      answers.push(Array.isArray(answer) ? answer.join('\n') : String(answer));
    }
    return answers;
  }

  async #ready(): Promise<RedisClientType> {
    const last = this.#connected;
    const client = await last?.catch(() => undefined);
    if (client?.isReady) return client;
    // Of those who waited one makes it anew.
    if (this.#connected === last) this.#connected = connect(this.#node.url);
    return this.#connected ?? this.#ready();
  }

  close(): void {
    this.#connected?.then(
      (client) => client.isOpen && client.destroy(),
      () => {},
    );
    this.#connected = undefined;
  }
}

async function connect(url: string): Promise<RedisClientType> {
  // Loaded only here: most tests of other servers have no use for it.
  const { createClient } = await import('redis');
  const client: RedisClientType = createClient({
    url,
    socket: { connectTimeout: answerMs, reconnectStrategy: false },
  });
  client.on('error', () => {});
  await client.connect();
  // Nobody's process lives on because of it.
  client.unref();
  return client;
}
