import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SessionInputError } from '../../src/errors.ts';
import { parseTime, toIso } from '../../src/session/time.ts';
import { runs } from '../scale.ts';

const parse = (text: string): number => parseTime(text, 'at');

/** A number in two digits, or four. */
const pad = (value: number, length = 2): string => String(value).padStart(length, '0');

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const daysIn = (year: number, month: number): number =>
  [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;

/** Days since 1970 by counting, not by `Date`. */
function daysSince1970(year: number, month: number, day: number): number {
  const before = (y: number): number =>
    365 * y + Math.ceil(y / 4) - Math.ceil(y / 100) + Math.ceil(y / 400);
  let days = before(year) - before(1970) + day - 1;
  for (let m = 1; m < month; m++) days += daysIn(year, m);
  return days;
}

const offset = fc.oneof(
  fc.constant({ text: 'Z', minutes: 0 }),
  fc
    .record({
      sign: fc.constantFrom(1, -1),
      hours: fc.nat(23),
      minutes: fc.nat(59),
      colon: fc.constantFrom(':', ''),
    })
    .map(({ colon, hours, minutes, sign }) => ({
      text: `${sign === 1 ? '+' : '-'}${pad(hours)}${colon}${pad(minutes)}`,
      minutes: sign * (hours * 60 + minutes),
    })),
);

const moment = fc.record({
  // The years at both ends have tests of their own: an offset leads out of them.
  year: fc.integer({ min: 1, max: 9_998 }),
  month: fc.integer({ min: 1, max: 12 }),
  day: fc.integer({ min: 1, max: 31 }),
  hour: fc.nat(23),
  minute: fc.nat(59),
  second: fc.nat(59),
  fraction: fc.stringMatching(/^(\.\d{1,9})?$/),
  offset,
});

describe('parseTime', () => {
  it('is the moment that was written, or refuses a day that there is not', () => {
    fc.assert(
      fc.property(moment, (m) => {
        const date = `${pad(m.year, 4)}-${pad(m.month)}-${pad(m.day)}`;
        const text = `${date}T${pad(m.hour)}:${pad(m.minute)}:${pad(m.second)}${m.fraction}${m.offset.text}`;
        if (m.day > daysIn(m.year, m.month)) {
          expect(() => parse(text)).toThrow(SessionInputError);
          return;
        }
        const minutes = (daysSince1970(m.year, m.month, m.day) * 24 + m.hour) * 60 + m.minute;
        const ms = Number(m.fraction.slice(1, 4).padEnd(3, '0'));
        const expected = (minutes - m.offset.minutes) * 60_000 + m.second * 1_000 + ms;
        expect(parse(text)).toBe(expected);
        expect(new Date(expected).getTime()).toBe(expected);
      }),
      runs(2_000),
    );
  });

  it('is what Date.parse gives, for whatever it accepts', () => {
    const digits = fc.constantFrom('0', '1', '2', '3', '5', '9');
    const near = fc
      .tuple(fc.constant('2026-02-28T23:59:59.999+00:00'), fc.array(fc.tuple(fc.nat(28), digits)))
      .map(([text, changes]) => {
        const units = [...text];
        for (const [at, digit] of changes) if (/\d/.test(units[at] ?? '')) units[at] = digit;
        return units.join('');
      });
    fc.assert(
      fc.property(near, (text) => {
        let ms: number;
        try {
          ms = parse(text);
        } catch (error) {
          expect(error).toBeInstanceOf(SessionInputError);
          return;
        }
        expect(ms).toBe(Date.parse(text));
        // In its own zone it is the day and the hour that were written.
        const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(text) ?? [];
        const shift = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60_000 : 60_000);
        const local = ms + shift;
        if (local >= Date.UTC(0, 0, 1) && local < Date.UTC(9_999, 11, 31)) {
          expect(new Date(local).toISOString().slice(0, 19)).toBe(text.slice(0, 19));
        }
      }),
      runs(2_000),
    );
  });

  it('goes there and back', () => {
    fc.assert(
      fc.property(
        fc.integer({
          min: Date.parse('0001-01-01T00:00:00Z'),
          max: Date.parse('9999-12-31T23:59:59Z'),
        }),
        (ms) => {
          expect(parse(toIso(ms))).toBe(ms);
          expect(toIso(parse(toIso(ms)))).toBe(toIso(ms));
        },
      ),
      runs(1_000),
    );
  });

  it('has the leap day of every leap year', () => {
    for (let year = 0; year <= 9_999; year++) {
      const text = `${pad(year, 4)}-02-29T00:00:00Z`;
      if (isLeap(year)) expect(parse(text)).toBe(Date.parse(text));
      else expect(() => parse(text)).toThrow(SessionInputError);
    }
  });

  it('gives only times that it would take again', () => {
    const edges = ['0000-01-01T00:00:00+23:59', '9999-12-31T23:59:59-23:59'];
    for (const text of edges) {
      let ms: number;
      try {
        ms = parse(text);
      } catch (error) {
        expect(error).toBeInstanceOf(SessionInputError);
        continue;
      }
      expect(parse(toIso(ms))).toBe(ms);
    }
  });

  it('does not bend midnight into the next day', () => {
    expect(() => parse('2026-03-01T24:00:00Z')).toThrow(SessionInputError);
  });
});
