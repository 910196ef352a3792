import { SessionInputError } from '../errors.ts';
import { kindOf } from './ids.ts';

const iso =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})$/;

/**
 * Milliseconds since 1970 of an ISO 8601 time with a zone. What `Date` would bend into another day
 * (30 February) is refused; fractions are cut to milliseconds.
 *
 * @throws SessionInputError
 */
export function parseTime(value: unknown, path: string): number {
  const match = typeof value === 'string' && value.length <= 40 ? iso.exec(value) : null;
  const ms = match === null ? Number.NaN : Date.parse(value as string);
  if (match === null || Number.isNaN(ms) || Number(match[3]) > daysIn(match)) {
    throw new SessionInputError(
      path,
      `expected an ISO 8601 time with a zone, like 2026-03-01T09:30:00.000Z, got ${kindOf(value)}`,
    );
  }
  return ms;
}

function daysIn(match: RegExpExecArray): number {
  return new Date(Date.UTC(Number(match[1]), Number(match[2]), 0)).getUTCDate();
}

let lastMs = Number.NaN;
let lastIso = '';

/** An ISO 8601 UTC time from milliseconds since 1970. The last one is remembered: many turns share one. */
export function toIso(ms: number): string {
  if (ms !== lastMs) {
    lastIso = new Date(ms).toISOString();
    lastMs = ms;
  }
  return lastIso;
}
