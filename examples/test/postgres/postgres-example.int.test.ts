import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PostgresServer } from '@lexigram/ai-session-servers';
import { expect, it, onTestFinished } from 'vitest';

it('the example of Postgres runs', async () => {
  const server = await PostgresServer.start();
  onTestFinished(() => server.stop());
  const example = join(import.meta.dirname, '..', '..', 'src', 'postgres.ts');
  const printed = await promisify(execFile)(
    process.execPath,
    ['--conditions=@lexigram/source', example],
    { env: { ...process.env, DATABASE_URL: server.url } },
  );
  expect(printed).toEqual({ stdout: '', stderr: '' });
});
