import { SessionInputError, SessionLimitError } from '../errors.ts';
import { checkText } from './json.ts';
import { limits } from './limits.ts';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Random bytes are drawn in blocks: a draw costs more than all the rest of an id. */
const block = new Uint8Array(8_192);
let used = block.length;

/** `length` random characters of base62, each as likely as any other (rejection sampling). */
function randomBase62(length: number): string {
  let text = '';
  while (text.length < length) {
    if (used === block.length) {
      crypto.getRandomValues(block);
      used = 0;
    }
    const byte = block[used] as number;
    used += 1;
    if (byte < 248) text += alphabet[byte % 62];
  }
  return text;
}

/** A new session id: 22 characters of base62, 131 random bits. */
export function newSessionId(): string {
  return randomBase62(22);
}

let lastTime = 0;
let lastPrefix = '';

/**
 * A new turn id: 8 characters of the time in base62 and 12 random ones (71 bits). Ids of one process ascend
 * from millisecond to millisecond, so that an index over them grows at its end.
 */
export function newTurnId(): string {
  const now = Date.now();
  if (now > lastTime) {
    lastTime = now;
    lastPrefix = '';
    for (let rest = now, i = 0; i < 8; i++, rest = Math.floor(rest / 62)) {
      lastPrefix = (alphabet[rest % 62] as string) + lastPrefix;
    }
  }
  return lastPrefix + randomBase62(12);
}

const sessionIdPattern = /^[A-Za-z0-9_-]{1,128}$/;

/** Whether a text can be a session id at all. */
export function isSessionId(id: unknown): boolean {
  return typeof id === 'string' && id.length <= limits.sessionId && sessionIdPattern.test(id);
}

/** @throws SessionInputError if it cannot be a session id. */
export function checkSessionId(id: unknown, path = 'sessionId'): string {
  if (!isSessionId(id)) {
    throw new SessionInputError(
      path,
      `expected 1–128 of A–Z, a–z, 0–9, _ and -, got ${kindOf(id)}`,
    );
  }
  return id as string;
}

/** The id of a session's n-th timeline. It carries the session's id. */
export function timelineId(sessionId: string, n: number): string {
  return `${sessionId}.${n}`;
}

/** The id of a session's n-th checkpoint. It carries the session's id. */
export function checkpointId(sessionId: string, n: number): string {
  return `${sessionId}.c${n}`;
}

/** The parts of a timeline's id. */
export function parseTimelineId(id: string): { readonly sessionId: string; readonly n: number } {
  const dot = id.lastIndexOf('.');
  return { sessionId: id.slice(0, dot), n: Number(id.slice(dot + 1)) };
}

const checkpointIdPattern = /^([A-Za-z0-9_-]{1,128})\.c([1-9][0-9]{0,14})$/;

/** The parts of a checkpoint's id, or null if it cannot be one. */
export function parseCheckpointId(
  id: unknown,
): { readonly sessionId: string; readonly n: number } | null {
  if (typeof id !== 'string' || id.length > 160) return null;
  const match = checkpointIdPattern.exec(id);
  return match === null ? null : { sessionId: match[1] as string, n: Number(match[2]) };
}

const control = /\p{Cc}/u;

/** Text without control characters, from 1 character up to a limit. */
export function checkPrintable(
  value: unknown,
  path: string,
  limit: 'name' | 'text' | 'label' | 'operationId' | 'reason' | 'toolCall' = 'text',
): string {
  const max = limits[limit];
  if (typeof value !== 'string') {
    throw new SessionInputError(path, `expected a string, got ${kindOf(value)}`);
  }
  if (value.length === 0) throw new SessionInputError(path, 'must not be empty');
  if (value.length > max) {
    throw new SessionLimitError(path, limit, value.length, max, 'characters');
  }
  checkText(value, path);
  if (control.test(value)) throw new SessionInputError(path, 'must not have control characters');
  return value;
}

/** A turn id, or the name of an agent or a branch: printable, with no space at either end. */
export function checkName(value: unknown, path: string): string {
  const name = checkPrintable(value, path, 'name');
  if (name.trim() !== name) {
    throw new SessionInputError(path, 'must not start or end in a space');
  }
  return name;
}

/** What a value is, without anything of it: for what may be the content of a turn. */
export function shapeOf(value: unknown): string {
  return typeof value === 'string' ? `a text of ${value.length} characters` : kindOf(value);
}

/** What a value is, for an error message; a text is shown, shortened. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  try {
    if (Array.isArray(value)) return `an array of ${value.length}`;
  } catch {
    return 'a revoked proxy';
  }
  if (typeof value === 'string') {
    const safe = value.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '�');
    return safe.length > 40
      ? `'${safe.slice(0, 40).toWellFormed()}…' (${value.length} characters)`
      : `'${safe}'`;
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return `a value of type ${typeof value}`;
}

/** An id that is looked for, as a text: what is no text is no id of anything. */
export function idText(id: unknown): string {
  return typeof id === 'string' ? id : kindOf(id);
}
