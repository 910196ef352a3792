import { LocalServer, type Place, startInFolder } from './local-server.ts';
import { redisBinary } from './redis-binaries.ts';
import { signal } from './server-handle.ts';

export interface RedisServerOptions {
  /** Settings of the server, as in redis.conf. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** The folder in which its own is made; by default the system's for temporary files. */
  readonly within?: string;
}

/** Where nodes of a cluster talk to each other: so far above the port for clients. */
const busOffset = 10_000;

/** A Redis of one's own, which writes nothing to the disk unless its settings say so. */
export class RedisServer extends LocalServer {
  /** The process that is paused. */
  #paused = 0;

  private constructor(
    place: Place,
    command: string,
    given: Readonly<Record<string, string | number>>,
  ) {
    const settings = {
      port: place.port,
      bind: '127.0.0.1',
      save: '',
      appendonly: 'no',
      ...given,
    };
    super(place, {
      name: 'Redis',
      command,
      // A setting of several words is several arguments.
      args: [
        '--dir',
        place.folder,
        ...Object.entries(settings).flatMap(([name, value]) => [
          `--${name}`,
          ...String(value).split(' '),
        ]),
      ],
      readyLine: 'Ready to accept connections',
      endSignal: 'SIGKILL',
    });
  }

  /** @throws if there is no Redis to be had, or if it does not start */
  static async start({ settings = {}, within }: RedisServerOptions = {}): Promise<RedisServer> {
    const command = await redisBinary();
    const where = { name: 'redis', also: busOffset, ...(within !== undefined && { within }) };
    return startInFolder(where, (place) => new RedisServer(place, command, settings));
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** SIGSTOP: it keeps its connections, and does nothing. */
  pause(): void {
    const { pid } = this;
    if (signal(pid, 'SIGSTOP')) this.#paused = pid;
  }

  /** SIGCONT: it goes on where it was paused. */
  resume(): void {
    signal(this.pid, 'SIGCONT');
    this.#paused = 0;
  }

  get isPaused(): boolean {
    return this.#paused !== 0 && this.#paused === this.pid;
  }
}
