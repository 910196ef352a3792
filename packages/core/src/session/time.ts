import { SessionInputError } from '../errors.ts';
import { kindOf } from './ids.ts';

const iso =
  /^(\d{4})-(\d{2})-(\d{2})T((?:[01]\d|2[0-3])):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})$/;

/**
 * Milliseconds since 1970 of an ISO 8601 time with a zone. What `Date` would bend into another day
 * (30 February) is refused; fractions are cut to milliseconds.
 *
 * @throws SessionInputError
 */
export function parseTime(value: unknown, path: string): number {
  const match = typeof value === 'string' && value.length <= 40 ? iso.exec(value) : null;
  const ms = match === null ? Number.NaN : Date.parse(value as string);
  if (match === null || !isInRange(ms) || Number(match[3]) > daysIn(match)) {
    throw new SessionInputError(
      path,
      `expected an ISO 8601 time with a zone, like 2026-03-01T09:30:00.000Z, got ${kindOf(value)}`,
    );
  }
  return ms;
}

const yearZero = Date.parse('0000-01-01T00:00:00Z');
const yearTenThousand = Date.UTC(10_000, 0, 1);

/** Years that are written in four digits. */
function isInRange(ms: number): boolean {
  return ms >= yearZero && ms < yearTenThousand;
}

function daysIn(match: RegExpExecArray): number {
  const [year, month] = [Number(match[1]), Number(match[2])];
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  if (month === 2) return leap ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
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
