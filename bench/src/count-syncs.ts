import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childArguments, runChild } from './child.ts';

/** How often a child process asked the system to put a file on the disk, as strace counted it. */
export async function countSyncs(script: string, args: readonly string[]): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'lexigram-strace-'));
  try {
    const summary = join(directory, 'summary');
    await runChild('strace', [
      ...['-f', '-c', '-e', 'trace=fsync,fdatasync', '-o', summary],
      process.execPath,
      ...childArguments(script, args),
    ]);
    // % time, seconds, usecs/call, calls, [errors,] syscall
    const rows = readFileSync(summary, 'utf8').matchAll(
      /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+).*\b(?:fsync|fdatasync)$/gm,
    );
    let calls = 0;
    for (const row of rows) calls += Number(row[1]);
    return calls;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
