import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** The arguments of Node that run a script of `src` as this one runs. */
export function childArguments(script: string, args: readonly string[]): string[] {
  return [...process.execArgv, join(import.meta.dirname, script), ...args];
}

/**
 * Runs a program to its end and answers what it printed.
 *
 * @throws Error if it fails
 */
export function runChild(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(printed);
      else reject(new Error(`${program} ended with ${signal ?? code}: ${args.join(' ')}`));
    });
  });
}

/** Runs a script of `src` with Node and answers the JSON that it printed. */
export async function runScript<T>(script: string, args: readonly string[]): Promise<T> {
  return JSON.parse(await runChild(process.execPath, childArguments(script, args))) as T;
}
