import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { redisBinary } from './redis-binaries.ts';
import { type ServerHandle, signal } from './shared-server.ts';

export interface RedisServerOptions {
  /** Settings of the server, as in redis.conf. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** The folder in which its own is made; by default the system's for temporary files. */
  readonly within?: string;
}

const readyLine = 'Ready to accept connections';
const startMs = 20_000;
/** Where nodes of a cluster talk to each other: so far above the port for clients. */
const busOffset = 10_000;

/**
 * A Redis of one's own in a temporary folder, on a free port of the loopback address; it writes nothing to the disk
 * unless its settings say so. It knows the process that it started, and touches no other.
 */
export class RedisServer {
  readonly port: number;
  readonly folder: string;
  readonly #binary: string;
  readonly #settings: Readonly<Record<string, string | number>>;
  #child: ChildProcess | undefined;
  #paused = false;
  #exited: Promise<void> = Promise.resolve();

  private constructor(
    binary: string,
    folder: string,
    port: number,
    settings: Readonly<Record<string, string | number>>,
  ) {
    this.#binary = binary;
    this.folder = folder;
    this.port = port;
    this.#settings = settings;
  }

  /** @throws if there is no Redis to be had, or if it does not start */
  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    const { settings = {}, within = tmpdir() } = options;
    const binary = await redisBinary();
    for (let attempt = 1; ; attempt++) {
      const folder = await mkdtemp(join(within, 'lexigram-redis-'));
      try {
        const server = new RedisServer(binary, folder, await freePort(busOffset), settings);
        await server.restart();
        return server;
      } catch (error) {
        await rm(folder, { recursive: true, force: true });
        // Somebody was quicker to take the port.
        if (attempt === 3 || !String(error).includes('Address already in use')) throw error;
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get handle(): ServerHandle {
    return { pids: [this.pid], folder: this.folder };
  }

  /** Starts, or starts again what was killed: the same folder and port. */
  async restart(): Promise<void> {
    const log = join(this.folder, 'log');
    const out = openSync(log, 'a');
    const from = statSync(log).size;
    const settings = {
      port: this.port,
      bind: '127.0.0.1',
      dir: this.folder,
      save: '',
      appendonly: 'no',
      ...this.#settings,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const child = spawn(this.#binary, args, {
      cwd: '/',
      stdio: ['ignore', out, out],
      detached: true,
    });
    closeSync(out);
    child.unref();
    let over = false;
    this.#exited = new Promise((resolve) => {
      const end = (): void => {
        over = true;
        resolve();
      };
      child.once('error', end);
      child.once('exit', end);
    });
    this.#child = child;
    this.#paused = false;
    const deadline = performance.now() + startMs;
    for (;;) {
      const said = readFileSync(log).subarray(from).toString();
      if (said.includes(readyLine)) return;
      if (over || performance.now() > deadline) {
        throw new Error(`Redis did not start: ${said.slice(-2_000)}`);
      }
      await sleep(20);
    }
  }

  /** SIGKILL: what was not yet written to the disk is gone. */
  async kill(): Promise<void> {
    signal(this.pid, 'SIGKILL');
    await this.#gone();
  }

  /** SIGSTOP: it keeps its connections, and does nothing. */
  pause(): void {
    this.#paused = signal(this.pid, 'SIGSTOP');
  }

  /** SIGCONT: it goes on where it was paused. */
  resume(): void {
    signal(this.pid, 'SIGCONT');
    this.#paused = false;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  #gone(): Promise<void> {
    this.#child?.ref();
    return this.#exited;
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    signal(this.pid, 'SIGKILL');
    await this.#gone();
    await rm(this.folder, { recursive: true, force: true });
  }
}
