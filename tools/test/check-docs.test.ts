import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';

const tool = join(import.meta.dirname, '..', 'check-docs.ts');
const root = mkdtempSync(join(tmpdir(), 'lexigram-docs-'));
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('accepts links that lead somewhere and refuses each that does not', () => {
  const sound = '# One word: `open()`\n[self](#one-word-open) [web](https://example.org/x)\n';
  writeFileSync(join(root, 'a.md'), `${sound}\n\`\`\`md\n[no link](gone.md)\n\`\`\`\n`);
  expect(check()).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('1 links in 1 pages'),
  });

  writeFileSync(join(root, 'b.md'), '[a](a.md#two)\n[b](gone.md)\n[c]: ../out.md\n');
  const { status, stderr } = check();
  expect(status).toBe(1);
  expect(stderr.trim().split('\n')).toEqual([
    'b.md:1 no such heading: a.md#two',
    'b.md:2 no such file: gone.md',
    'b.md:3 no such file: ../out.md',
  ]);
});

function check() {
  return spawnSync(process.execPath, [tool, root], { encoding: 'utf8' });
}
