import { SessionInputError } from '../errors.ts';
import { isSessionId, kindOf } from './ids.ts';
import { limits } from './limits.ts';

/** One page of a list. `nextCursor` is null on the last one. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** What every list takes. */
export interface PageOptions {
  /** 1 to 1,000; 100 if left out. */
  readonly limit?: number | undefined;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
}

/** @throws SessionInputError */
export function parseLimit(value: unknown, max: number = limits.pageMax): number {
  if (value === undefined) return Math.min(limits.page, max);
  if (!Number.isSafeInteger(value) || (value as number) < 1 || (value as number) > max) {
    throw new SessionInputError(
      'limit',
      `expected a whole number from 1 to ${max}, got ${kindOf(value)}`,
    );
  }
  return value as number;
}

/** A cursor names its list, so that it is refused elsewhere, and the place of the last item. Opaque to callers. */
export function toCursor(list: string, ...place: readonly (string | number | null)[]): string {
  const json = JSON.stringify([list, ...place]).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const text = btoa(json);
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** What a place is made of: a time, a session's id, the key of a record, any text or none. */
type PlaceShape = readonly ('time' | 'sessionId' | 'key' | 'text')[];
type Place<S extends PlaceShape> = {
  -readonly [K in keyof S]: S[K] extends 'time'
    ? number
    : S[K] extends 'text'
      ? string | null
      : string;
};

const checks: Readonly<Record<PlaceShape[number], (part: unknown) => boolean>> = {
  time: (part) => Number.isSafeInteger(part),
  sessionId: isSessionId,
  text: (part) => part === null || (typeof part === 'string' && isText(part)),
  key: (part) => typeof part === 'string' && /^[0-9]{1,20}$/.test(part),
};

/** A text that a store can be asked for. */
function isText(part: string): boolean {
  return part.length <= limits.toolCall && part.isWellFormed() && !part.includes('\0');
}

/** @throws SessionInputError if it is not a cursor of this list */
export function parseCursor<const S extends PlaceShape>(
  cursor: unknown,
  list: string,
  shape: S,
): Place<S> | undefined {
  if (cursor === undefined) return undefined;
  if (
    typeof cursor === 'string' &&
    cursor.length <= (shape.includes('text') ? limits.textCursor : limits.cursor)
  ) {
    const [name, ...place] = decode(cursor);
    const fits = place.length === shape.length;
    if (name === list && fits && shape.every((kind, i) => checks[kind](place[i]))) {
      return place as Place<S>;
    }
  }
  throw new SessionInputError(
    'cursor',
    `expected the nextCursor of a page of these ${list}, got ${kindOf(cursor)}`,
  );
}

function decode(cursor: string): readonly unknown[] {
  try {
    const place: unknown = JSON.parse(atob(cursor.replaceAll('-', '+').replaceAll('_', '/')));
    return Array.isArray(place) ? place : [];
  } catch {
    return [];
  }
}
