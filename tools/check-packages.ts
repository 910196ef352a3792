import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

// Packs each public package as npm would publish it, then lets publint and attw judge the archive.
const root = join(import.meta.dirname, '..');
const folders = globSync('packages/*/package.json', { cwd: root })
  .filter((path) => !JSON.parse(readFileSync(join(root, path), 'utf8')).private)
  .map((path) => dirname(path))
  .sort();
if (folders.length === 0) throw new Error('No public package found, so nothing was checked.');

const archives = mkdtempSync(join(tmpdir(), 'lexigram-packages-'));
const failed: string[] = [];
try {
  for (const folder of folders) {
    const packed = run('npm', ['pack', '--json', '--pack-destination', archives, `./${folder}`]);
    const archive = join(archives, JSON.parse(packed)[0].filename);
    judge(folder, 'publint', [archive, '--strict']);
    judge(folder, 'attw', [archive, '--profile', 'esm-only', '--no-emoji', '--format', 'ascii']);
  }
} finally {
  rmSync(archives, { recursive: true, force: true });
}
console.log(
  `${folders.length} packages checked: ${failed.length === 0 ? 'sound' : failed.join(', ')}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

function judge(folder: string, tool: string, args: readonly string[]): void {
  const { status, stdout, stderr, error } = spawnSync(tool, args, { cwd: root, encoding: 'utf8' });
  if (error) throw error;
  if (status === 0) return;
  failed.push(`${tool} ${folder}`);
  console.error(`${tool} refuses ${folder}:\n${stdout}${stderr}`);
}

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stderr}`);
  return stdout;
}
