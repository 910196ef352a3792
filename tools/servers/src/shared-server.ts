import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endCommands, type ServerHandle } from './server-handle.ts';

/** The folder in which the workers of one run agree on servers; set by the run itself. */
export const rendezvous = 'LEX_TEST_SERVERS';

interface Started {
  readonly handle: ServerHandle;
  readonly url: string;
}

/**
 * The URL of a server that the first who asks starts and all workers of the run share.
 *
 * @throws if there is no such server to be had
 */
export async function sharedServer(name: string, start: () => Promise<Started>): Promise<string> {
  const folder = process.env[rendezvous];
  if (folder === undefined) throw new Error(`${rendezvous} is not set: run the tests with Vitest`);
  const file = join(folder, `${name}.json`);
  try {
    mkdirSync(join(folder, name));
  } catch {
    return readWhenThere(file);
  }
  try {
    const { handle, url } = await start();
    endWith(handle, Number(process.env[`${rendezvous}_PID`] ?? process.ppid));
    publish(file, { ...handle, url });
    return url;
  } catch (error) {
    publish(file, { failed: (error as Error).message });
    throw error;
  }
}

function publish(file: string, content: object): void {
  writeFileSync(`${file}.new`, JSON.stringify(content));
  renameSync(`${file}.new`, file);
}

async function readWhenThere(file: string): Promise<string> {
  while (!existsSync(file)) await sleep(50);
  const { failed, url } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly failed?: string;
    readonly url: string;
  };
  if (failed !== undefined) throw new Error(failed);
  return url;
}

/** A run that is cut short takes its servers with it. */
function endWith(handle: ServerHandle, runner: number): void {
  const watch = `while kill -0 ${runner} 2>/dev/null; do sleep 2; done; ${endCommands(handle)}`;
  spawn('/bin/sh', ['-c', watch], { cwd: '/', detached: true, stdio: 'ignore' }).unref();
}
