import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Added } from './absent/add-turns.ts';

it('sessions work where OpenTelemetry is not installed, which is asked for once, and not if it is not wanted', () => {
  const script = join(import.meta.dirname, 'absent', 'add-turns.ts');
  const args = ['--conditions=@lexigram/source', script];
  const added: Added = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  expect(added).toEqual({ seq: 1, asked: 1 });
});
