import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endServer, type ServerHandle } from './server-handle.ts';
import { rendezvous } from './shared-server.ts';

/** Vitest's global set-up: a place where workers agree on servers. What they start is stopped with the run. */
export function setup(): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'lexigram-servers-'));
  process.env[rendezvous] = folder;
  process.env[`${rendezvous}_PID`] = String(process.pid);
  return async () => {
    for (const file of globSync('*.json', { cwd: folder })) {
      const server = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Partial<ServerHandle>;
      if (server.pids !== undefined) await endServer(server as ServerHandle);
    }
    rmSync(folder, { recursive: true, force: true });
  };
}
