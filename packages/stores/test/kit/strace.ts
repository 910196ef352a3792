import { readFileSync } from 'node:fs';
import { run } from './run.ts';

/** Makes sure that strace is there; as root it is installed if need be. @throws if it cannot be had */
export function ensureStrace(): void {
  try {
    run('strace', '-V');
  } catch (cause) {
    if (process.getuid?.() !== 0) {
      throw new Error('this test needs strace: apt-get install strace', { cause });
    }
    run('apt-get', 'install', '-y', '--no-install-recommends', 'strace');
    run('strace', '-V');
  }
}

/** What a process did to its database and said, in order. */
export interface Call {
  readonly kind: 'write' | 'sync' | 'said';
  /** The file's name, or what was said. */
  readonly what: string;
}

/** The command under which a process is traced into a file that `readTrace` reads. */
export function tracing(trace: string): readonly string[] {
  const calls = 'trace=fsync,fdatasync,write,pwrite64,pwritev,pwritev2';
  return ['strace', '-f', '-qq', '-y', '-s', '200', '-e', calls, '-o', trace];
}

/** Calls that went well, at the place where they returned. */
export function readTrace(trace: string): Call[] {
  const calls: Call[] = [];
  const unfinished = new Map<string, string>();
  for (const line of readFileSync(trace, 'utf8').split('\n')) {
    const [, pid = '', text = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (text.endsWith('<unfinished ...>')) {
      unfinished.set(pid, text);
      continue;
    }
    const whole = text.startsWith('<... ') ? (unfinished.get(pid) ?? '') + text : text;
    const [, name = '', file = '', rest = ''] = /^(\w+)\(\d+<([^>]*)>(.*)$/.exec(whole) ?? [];
    if (!/= \d+$/.test(whole)) continue;
    const base = file.slice(file.lastIndexOf('/') + 1);
    if (name.endsWith('sync')) calls.push({ kind: 'sync', what: base });
    else if (rest.startsWith(', "{\\"')) calls.push({ kind: 'said', what: rest });
    else if (file.includes('/')) calls.push({ kind: 'write', what: base });
  }
  return calls;
}

/** The command under which calls on one file fail, from the first number in `when` on and then every so many. */
export function failing(
  path: string,
  calls: string,
  error: string,
  when: string,
): readonly string[] {
  const inject = `inject=${calls}:error=${error}:when=${when}`;
  return [
    'strace',
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-P',
    path,
    '-e',
    `trace=${calls}`,
    '-e',
    inject,
  ];
}
