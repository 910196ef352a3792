import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import type { Identity } from './run-command.ts';
import { endServer, type ServerHandle, signal } from './server-handle.ts';

/** Where a server has its files, and where it listens. */
export interface Place {
  readonly folder: string;
  readonly port: number;
}

/** How a server is run. */
export interface Program {
  /** What it is called in messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly identity?: Identity;
  /** What it prints once it accepts connections. */
  readonly readyLine: string;
  /** What it prints when it does not start, but soon will. */
  readonly passing?: RegExp;
  /** What ends it for good. */
  readonly endSignal: 'SIGQUIT' | 'SIGKILL';
}

const startMs = 30_000;

/**
 * A server of one's own in a temporary folder, on a free port of the loopback address. It knows the processes that it
 * started, and touches no others.
 */
export class LocalServer {
  readonly port: number;
  readonly folder: string;
  readonly #program: Program;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();

  protected constructor({ folder, port }: Place, program: Program) {
    this.folder = folder;
    this.port = port;
    this.#program = program;
  }

  /** The id of its process; 0 while there is none. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get handle(): ServerHandle {
    const { endSignal } = this.#program;
    return { pids: [this.pid].filter(Boolean), folder: this.folder, endSignal };
  }

  /**
   * Starts, or starts again what was killed: the same folder and port.
   *
   * @throws if it runs already, or does not start
   */
  async restart(): Promise<void> {
    const { name, passing } = this.#program;
    if (this.pid !== 0) throw new Error(`${name} runs already, as process ${this.pid}`);
    const deadline = performance.now() + startMs;
    for (;;) {
      const failure = await this.#launch(deadline);
      if (failure === null) return;
      if (performance.now() > deadline || !passing?.test(failure)) {
        throw new Error(`${name} did not start: ${failure.slice(-2_000)}`);
      }
      await sleep(50);
    }
  }

  /** Null once it accepts connections, else what it said. */
  async #launch(deadline: number): Promise<string | null> {
    const { args, command, identity, readyLine } = this.#program;
    const log = join(this.folder, 'log');
    const out = openSync(log, 'a');
    const from = statSync(log).size;
    const child = spawn(command, args, {
      ...identity,
      cwd: '/',
      stdio: ['ignore', out, out],
      detached: true,
    });
    closeSync(out);
    child.unref();
    this.#child = child;
    let trouble = '';
    this.#exited = new Promise((resolve) => {
      const end = (): void => {
        this.#child = undefined;
        resolve();
      };
      child.once('exit', end);
      child.once('error', (error) => {
        trouble = String(error);
        end();
      });
    });
    for (;;) {
      const said = readFileSync(log).subarray(from).toString() + trouble;
      if (said.includes(readyLine)) return null;
      if (this.#child === undefined) return said;
      if (performance.now() > deadline) {
        await this.kill();
        return said;
      }
      await sleep(20);
    }
  }

  /** SIGKILL to each of its processes: what was not yet written to the disk is gone. */
  async kill(): Promise<void> {
    for (const pid of await this.processes()) signal(pid, 'SIGKILL');
    this.#child?.ref();
    await this.#exited;
  }

  /** Its process and those that this one started, its own first. */
  protected async processes(): Promise<readonly number[]> {
    return [this.pid];
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await endServer(this.handle);
  }
}

/**
 * Makes a folder for a server and starts it there.
 *
 * @param also another port that has to be free, so many above the one where it listens
 */
export async function startInFolder<S extends LocalServer>(
  { also = 0, name, within = tmpdir() }: { also?: number; name: string; within?: string },
  make: (place: Place) => S | Promise<S>,
): Promise<S> {
  for (let attempt = 1; ; attempt++) {
    const folder = await mkdtemp(join(within, `lexigram-${name}-`));
    try {
      const server = await make({ folder, port: await freePort(also) });
      await server.restart();
      return server;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      // Somebody was quicker to take the port.
      if (attempt === 3 || !String(error).includes('Address already in use')) throw error;
    }
  }
}
