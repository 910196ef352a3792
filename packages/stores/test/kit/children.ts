import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** How a process ended. */
interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly errors: string;
}

/** A process that a test started. It and the test say JSON to each other, a line at a time; see `talk.ts`. */
export interface Child {
  /** The next message. @throws if the process ends without one */
  next<T>(): Promise<T>;
  /** All messages until it ends. */
  messages<T>(): AsyncIterable<T>;
  say(message: object): void;
  /** SIGKILL to the process that was started, and to no other. */
  kill(): void;
  /** SIGSTOP and SIGCONT, likewise. */
  pause(): void;
  goOn(): void;
  readonly pid: number | undefined;
  readonly ended: Promise<Ended>;
}

/**
 * Starts one of the scripts in `children/`; it is ended with the test at the latest.
 *
 * @param through a command that runs the script, like strace
 */
export function startChild(
  script: URL,
  args: readonly string[],
  through: readonly string[] = [],
): Child {
  const node = [process.execPath, '--conditions=@lexigram/source', fileURLToPath(script)];
  const [command = '', ...rest] = [...through, ...node, ...args];
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (data: Buffer) => {
    errors += data.toString();
  });
  // Whoever writes to a process that was killed meets a broken pipe; how it ended tells more.
  child.stdin.on('error', () => {});
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, errors }));
  });
  // Read as it comes: a process whose words nobody takes would stand still.
  const heard: string[] = [];
  let notify = (): void => {};
  createInterface({ input: child.stdout }).on('line', (line) => {
    heard.push(line);
    notify();
  });
  let over = false;
  const end = (): void => {
    over = true;
    notify();
  };
  ended.then(end, end);
  const nextLine = async (): Promise<string | undefined> => {
    while (heard.length === 0 && !over) {
      await new Promise<void>((resolve) => {
        notify = resolve;
      });
    }
    return heard.shift();
  };
  const kill = (): void => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  };
  onTestFinished(async () => {
    kill();
    child.stdin.destroy();
    await ended;
  });
  return {
    async next<T>() {
      const line = await nextLine();
      if (line !== undefined) return JSON.parse(line) as T;
      const { code, signal } = await ended;
      throw new Error(`${script.pathname} ended with ${signal ?? code}: ${errors}`);
    },
    async *messages<T>() {
      for (let line = await nextLine(); line !== undefined; line = await nextLine()) {
        yield JSON.parse(line) as T;
      }
    },
    say: (message) => child.stdin.write(`${JSON.stringify(message)}\n`),
    kill,
    pause: () => void child.kill('SIGSTOP'),
    goOn: () => void child.kill('SIGCONT'),
    pid: child.pid,
    ended,
  };
}
