import assert from 'node:assert/strict';
import { isSessionError, SessionLimitError } from '@lexigram/ai-session';
import { canary } from './fixture.ts';
import type { BadInputRow } from './row.ts';

/** The longest message that fits a line of a log. */
const longest = 1_000;
const control = /\p{Cc}/u;
/** The one error whose message has lines. */
const listCode = 'LEX_ERR_SES_018';

/** Fails unless a call failed as its row says, with a message that helps and shows no content. */
export function checkRefusal(error: unknown, { code, mentions = [] }: BadInputRow): void {
  assert.ok(error !== undefined, `expected ${code}, the call was accepted`);
  assert.ok(isSessionError(error), `expected ${code}, got ${describe(error)}`);
  const { message } = error;
  assert.equal(error.code, code, message.slice(0, longest));
  assert.ok(message.length <= longest, `the message has ${message.length} characters`);
  // Problems of a configuration are a list, one on a line.
  const lines = code === listCode ? message.split('\n  ') : [message];
  assert.ok(
    !lines.some((line) => control.test(line)),
    `the message has control characters: ${JSON.stringify(message)}`,
  );
  assert.ok(message.isWellFormed(), `the message is ill-formed: ${JSON.stringify(message)}`);
  assert.ok(!message.includes(canary), `the message shows content of a turn: ${message}`);
  const fields = JSON.stringify({ ...error });
  assert.ok(!fields.includes(canary), `the error carries content of a turn: ${fields}`);
  if (error instanceof SessionLimitError) {
    assert.ok(error.actual > error.max, `${error.actual} is not past ${error.max}`);
  }
  if (mentions instanceof RegExp) assert.match(message, mentions);
  else for (const text of mentions) assert.ok(message.includes(text), `no ${text} in: ${message}`);
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message.slice(0, 200)}` : typeof error;
}

const prototypes = [Object.prototype, Array.prototype, Map.prototype, Function.prototype];
const untouched = prototypes.map((prototype) => membersOf(prototype));

function membersOf(prototype: object): ReadonlyMap<PropertyKey, unknown> {
  const members = Object.getOwnPropertyDescriptors(prototype) as Record<string, PropertyDescriptor>;
  return new Map(
    Reflect.ownKeys(members).map((key) => [key, members[key as string]?.value as unknown]),
  );
}

/** Fails if anything was added to the prototypes that all objects share, or changed there. */
export function checkPrototypes(): void {
  assert.equal(({} as { p?: unknown }).p, undefined, 'Object.prototype was polluted');
  for (const [i, prototype] of prototypes.entries()) {
    assert.deepEqual(membersOf(prototype), untouched[i], 'a shared prototype was changed');
  }
}
