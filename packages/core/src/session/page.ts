import { SessionInputError } from '../errors.ts';
import { kindOf } from './ids.ts';
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

/** A cursor is the place of the last item, opaque to callers. */
export function toCursor(...place: readonly (string | number)[]): string {
  return btoa(JSON.stringify(place)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** @throws SessionInputError if it is not a cursor of this shape */
export function parseCursor<const S extends readonly ('string' | 'number')[]>(
  cursor: unknown,
  shape: S,
): { -readonly [K in keyof S]: S[K] extends 'number' ? number : string } | undefined {
  if (cursor === undefined) return undefined;
  if (typeof cursor === 'string' && cursor.length <= limits.cursor) {
    const place = decode(cursor);
    if (
      Array.isArray(place) &&
      place.length === shape.length &&
      place.every((part, i) => typeof part === shape[i])
    ) {
      return place as never;
    }
  }
  throw new SessionInputError(
    'cursor',
    `expected the nextCursor of the page before, got ${kindOf(cursor)}`,
  );
}

function decode(cursor: string): unknown {
  try {
    return JSON.parse(atob(cursor.replaceAll('-', '+').replaceAll('_', '/')));
  } catch {
    return null;
  }
}
