import { spawn } from 'node:child_process';

/** Who runs a process: absent for whoever we are. */
export interface Identity {
  readonly uid?: number;
  readonly gid?: number;
}

/** Runs a command to its end and answers what it printed. @throws with what it complained of */
export function runCommand(
  command: string,
  args: readonly string[],
  options: Identity & { readonly cwd?: string } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: '/', ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    let complained = '';
    child.stdout.on('data', (data: Buffer) => {
      printed += data.toString();
    });
    child.stderr.on('data', (data: Buffer) => {
      complained += data.toString();
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve(printed);
      else
        reject(new Error(`${command} ended with ${signal ?? code}: ${complained.slice(-2_000)}`));
    });
  });
}
