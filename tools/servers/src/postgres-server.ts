import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { type PostgresBinaries, postgresBinaries } from './postgres-binaries.ts';
import { runCommand } from './run-command.ts';
import { type ServerHandle, signal } from './shared-server.ts';

export interface PostgresServerOptions {
  /** Settings of the server, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

const readyLine = 'database system is ready to accept connections';
const startMs = 30_000;

/**
 * A Postgres of one's own: a cluster in a temporary folder, on a free port of the loopback address, whose only
 * user may do everything. It knows the processes that it started, and touches no others.
 */
export class PostgresServer {
  readonly port: number;
  readonly folder: string;
  readonly #binaries: PostgresBinaries;
  readonly #settings: Readonly<Record<string, string | number>>;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();

  private constructor(
    binaries: PostgresBinaries,
    folder: string,
    port: number,
    settings: Readonly<Record<string, string | number>>,
  ) {
    this.#binaries = binaries;
    this.folder = folder;
    this.port = port;
    this.#settings = settings;
  }

  /** @throws if there is no Postgres to be had, or if it does not start */
  static async start({ settings = {} }: PostgresServerOptions = {}): Promise<PostgresServer> {
    const binaries = await postgresBinaries();
    const folder = await mkdtemp(join(tmpdir(), 'lexigram-postgres-'));
    const { gid, uid } = binaries.identity;
    if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
    try {
      await runCommand(
        join(binaries.folder, 'initdb'),
        ['-D', join(folder, 'data'), '-U', 'test', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'],
        binaries.identity,
      );
      const server = new PostgresServer(binaries, folder, await freePort(), settings);
      await server.#launch();
      return server;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get url(): string {
    return `postgres://test@127.0.0.1:${this.port}/postgres`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async #launch(): Promise<void> {
    const deadline = performance.now() + startMs;
    for (;;) {
      const failure = await this.#try(deadline);
      if (failure === null) return;
      // What a killed server left may take a moment to go away.
      if (performance.now() > deadline || !/shared memory|lock file/.test(failure)) {
        throw new Error(`Postgres did not start: ${failure.slice(-2_000)}`);
      }
      await sleep(50);
    }
  }

  /** Null once it accepts connections, else what it said. */
  async #try(deadline: number): Promise<string | null> {
    const log = join(this.folder, 'log');
    const out = openSync(log, 'a');
    const from = statSync(log).size;
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: 300,
      ...this.#settings,
    };
    const child = spawn(
      join(this.#binaries.folder, 'postgres'),
      [
        '-D',
        join(this.folder, 'data'),
        '-p',
        String(this.port),
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      { ...this.#binaries.identity, cwd: '/', stdio: ['ignore', out, out], detached: true },
    );
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
    for (;;) {
      const said = readFileSync(log).subarray(from).toString();
      if (said.includes(readyLine)) return null;
      if (over || performance.now() > deadline) return said;
      await sleep(20);
    }
  }

  /** SIGKILL to the server and to each process that it started. */
  async kill(): Promise<void> {
    const children = await childrenOf(this.pid);
    for (const pid of [this.pid, ...children]) signal(pid, 'SIGKILL');
    await this.#gone();
  }

  #gone(): Promise<void> {
    this.#child?.ref();
    return this.#exited;
  }

  /** Starts again what was killed: the same folder and port. */
  restart(): Promise<void> {
    return this.#launch();
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    signal(this.pid, 'SIGQUIT');
    await this.#gone();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Runs one of the programs of Postgres, like `pg_dump`, to its end. @throws if it is not there or fails */
  async run(program: string, args: readonly string[]): Promise<string> {
    const path = join(this.#binaries.folder, program);
    return runCommand(path, ['-d', this.url, ...args], this.#binaries.identity);
  }

  get handle(): ServerHandle {
    return { pids: [this.pid], folder: this.folder };
  }
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  try {
    const listed = await runCommand('pgrep', ['-P', String(pid)]);
    return listed.split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
