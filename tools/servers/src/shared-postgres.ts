import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PostgresServer, type ServerHandle } from './postgres-server.ts';

/** The folder in which the workers of one run agree on servers; set by the run itself. */
export const rendezvous = 'LEX_TEST_SERVERS';

export interface SharedServer extends ServerHandle {
  readonly url: string;
}

let url: Promise<string> | undefined;

/**
 * The URL of a Postgres for tests: that of LEX_TEST_POSTGRES_URL, or a server that the first who asks starts and
 * all workers of the run share. It promises nothing past a crash: what is to survive one starts its own.
 *
 * @throws if there is no Postgres to be had
 */
export function postgresUrl(): Promise<string> {
  url ??= process.env['LEX_TEST_POSTGRES_URL']
    ? Promise.resolve(process.env['LEX_TEST_POSTGRES_URL'])
    : sharedUrl();
  return url;
}

async function sharedUrl(): Promise<string> {
  const folder = process.env[rendezvous];
  if (folder === undefined) throw new Error(`${rendezvous} is not set: run the tests with Vitest`);
  const file = join(folder, 'postgres.json');
  try {
    mkdirSync(join(folder, 'postgres'));
  } catch {
    return readWhenThere(file);
  }
  try {
    const server = await PostgresServer.start({
      settings: { fsync: 'off', full_page_writes: 'off', shared_buffers: '64MB' },
    });
    endWith(server.handle, Number(process.env[`${rendezvous}_PID`] ?? process.ppid));
    publish(file, { ...server.handle, url: server.url });
    return server.url;
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
function endWith({ folder, pid }: ServerHandle, runner: number): void {
  const watch = `while kill -0 ${runner} 2>/dev/null; do sleep 2; done; kill -QUIT ${pid} 2>/dev/null; sleep 2; rm -rf '${folder}'`;
  spawn('/bin/sh', ['-c', watch], { cwd: '/', detached: true, stdio: 'ignore' }).unref();
}
