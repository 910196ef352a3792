import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** What is needed to end a server, though another process started it. */
export interface ServerHandle {
  /** Its processes: a cluster has several. */
  readonly pids: readonly number[];
  readonly folder: string;
  readonly endSignal: 'SIGQUIT' | 'SIGKILL';
}

const patienceMs = 5_000;

/** Ends a server and removes its folder. */
export async function endServer({ endSignal, folder, pids }: ServerHandle): Promise<void> {
  const patience = performance.now() + patienceMs;
  for (let left = pids; left.length > 0; left = left.filter(isAlive)) {
    for (const pid of left) signal(pid, performance.now() < patience ? endSignal : 'SIGKILL');
    await sleep(20);
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** The same as commands of a shell, if that was not done yet. */
export function endCommands({ endSignal, folder, pids }: ServerHandle): string {
  const all = pids.join(' ');
  const name = endSignal.slice('SIG'.length);
  return `[ -d '${folder}' ] || exit; kill -${name} ${all} 2>/dev/null; sleep 2; kill -KILL ${all} 2>/dev/null; rm -rf '${folder}'`;
}

function isAlive(pid: number): boolean {
  if (!signal(pid, 0)) return false;
  try {
    // In a container there may be nobody to bury what lost its parent.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return true;
  }
}

/** Whether there was such a process. */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}
