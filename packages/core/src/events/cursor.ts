import { createHash } from 'node:crypto';
import { SessionInputError } from '../errors.ts';
import { kindOf } from '../session/ids.ts';
import { limits } from '../session/limits.ts';
import type { Happening } from './happening.ts';

/** A place in one session's feed: the revision, and which of its items, by a tag. */
export interface SessionPlace {
  readonly revision: number;
  readonly tag: string;
}

/** A place among the changes of many sessions: an item by its position and tag, and the position before it. */
export interface StorePlace {
  readonly before: string;
  readonly position: string;
  readonly tag: string;
}

/** The tag of a place at which there is no item to compare with. */
export const noTag = '-';

const plainId = /^[A-Za-z0-9_-]{2,40}$/;

/** What tells an item from any other that might stand in its place: of a turn its id. */
export function tagOf({ at, data, turn, type }: Happening): string {
  if (turn !== undefined) {
    return plainId.test(turn.turnId) ? turn.turnId : digestOf(turn.turnId);
  }
  const n = type === 'checkpoint' && data !== null ? (/"n":(\d+)/.exec(data)?.[1] ?? '') : '';
  return `${type}${n}-${at.toString(36)}`;
}

/** The tag of an item among those of many sessions, several of which may stand at one position. */
export function storeTagOf(happening: Happening, sessionId: string): string {
  return digestOf(`${sessionId} ${happening.revision} ${tagOf(happening)}`);
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

export function sessionCursor({ revision, tag }: SessionPlace): string {
  return `s~${revision.toString(36)}~${tag}`;
}

export function storeCursor({ before, position, tag }: StorePlace): string {
  return `p~${before}~${position}~${tag}`;
}

const sessionPattern = /^s~([0-9a-z]{1,11})~([A-Za-z0-9_-]{1,60})$/;
const storePattern = /^p~([0-9A-Za-z.-]{1,40})~([0-9A-Za-z.-]{1,40})~([A-Za-z0-9_-]{1,60})$/;

/** @throws SessionInputError if it is no cursor of an event of one session */
export function parseSessionCursor(cursor: unknown): SessionPlace {
  const match = matchCursor(cursor, sessionPattern);
  const revision = Number.parseInt(match?.[1] ?? '', 36);
  if (Number.isSafeInteger(revision)) return { revision, tag: match?.[2] ?? noTag };
  throw strange(cursor, 'to one session');
}

/** @throws SessionInputError if it is no cursor of an event of a subscription to many sessions */
export function parseStoreCursor(cursor: unknown): StorePlace {
  const match = matchCursor(cursor, storePattern);
  if (match === null) throw strange(cursor, 'to many sessions');
  const [, before = '', position = '', tag = ''] = match;
  return { before, position, tag };
}

function matchCursor(cursor: unknown, pattern: RegExp): RegExpExecArray | null {
  return typeof cursor === 'string' && cursor.length <= limits.cursor ? pattern.exec(cursor) : null;
}

function strange(cursor: unknown, what: string): SessionInputError {
  const message = `expected the cursor of an event of a subscription ${what}, got ${kindOf(cursor)}`;
  return new SessionInputError('after', message);
}

/** Whether a position of the store is later than another. */
export function isLater(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}
