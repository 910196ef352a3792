import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);

it.each(['express', 'fastify'])(
  'a process on %s ends by itself once its application is closed',
  async (platform) => {
    const child = fileURLToPath(new URL('./children/open-and-close.ts', import.meta.url));
    const args = ['--conditions=@lexigram/source', child, platform];
    // Killed, and so rejected, if anything is left open.
    const { stderr, stdout } = await run(process.execPath, args, { timeout: 20_000 });
    expect([stdout, stderr]).toEqual(['closed 404\n', '']);
  },
  25_000,
);
