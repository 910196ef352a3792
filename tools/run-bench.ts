import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// The benchmarks keep a lockfile of their own, so that the engines and peers that they measure
// against stay out of everybody's install. Here it is installed when it is missing or has changed.
const root = join(import.meta.dirname, '..');
const bench = join(root, 'bench');
const lock = readFileSync(join(bench, 'package-lock.json'), 'utf8');
const installedLock = join(bench, 'node_modules', '.installed-lock.json');

const [command, ...args] = process.argv.slice(2);
if (command === 'fill') {
  // It needs none of them. Ctrl-C reaches it too, and it ends in good order.
  process.on('SIGINT', () => {});
  run('node', ['--conditions=@lexigram/source', 'bench/src/fill/main.ts', ...args]);
  process.exit(0);
}
if (!existsSync(installedLock) || readFileSync(installedLock, 'utf8') !== lock) {
  run('npm', ['ci', '--prefix', 'bench']);
  writeFileSync(installedLock, lock);
}
run('tsc', ['-b', 'bench']);
run('node', ['--conditions=@lexigram/source', 'bench/src/main.ts', ...process.argv.slice(2)]);

function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
