import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stopServer } from './postgres-server.ts';
import { rendezvous, type SharedServer } from './shared-postgres.ts';

/** Vitest's global set-up: a place where workers agree on servers. What they start is stopped with the run. */
export function setup(): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'lexigram-servers-'));
  process.env[rendezvous] = folder;
  process.env[`${rendezvous}_PID`] = String(process.pid);
  return async () => {
    const file = join(folder, 'postgres.json');
    if (existsSync(file)) {
      const server = JSON.parse(readFileSync(file, 'utf8')) as Partial<SharedServer>;
      if (server.pid !== undefined) await stopServer(server as SharedServer);
    }
    rmSync(folder, { recursive: true, force: true });
  };
}
