import { execFileSync } from 'node:child_process';

/** Runs a command of the machine to its end. @throws if it is not there or fails, with what it said */
export function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
