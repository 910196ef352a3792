import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Says something to the test that started this process; it is out when the call returns. */
export function say(message: object): void {
  writeSync(1, `${JSON.stringify(message)}\n`);
}

const input = createInterface({ input: process.stdin });
// The test is gone: so is the reason to live.
input.once('close', () => process.exit());
const lines = input[Symbol.asyncIterator]();

/** What the test says next. */
export async function hear<T>(): Promise<T> {
  const { value } = await lines.next();
  return JSON.parse(value as string) as T;
}

/** An error as a test can judge it. */
export function errorFacts(error: unknown): Record<string, unknown> {
  const { code, head, message, name, reason } = error as Record<string, unknown>;
  return { name, message, code, reason, head };
}

/** Ends the process; what listens to the test would keep it alive. */
export function leave(): never {
  process.exit();
}
