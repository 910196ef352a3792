import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toNanoUsd, toUsd } from '../../src/session/money.ts';
import { runs } from '../scale.ts';

const usd = fc.double({ min: 0, max: 1_000_000, noNaN: true });
const nano = fc.integer({ min: 0, max: 1e15 });

describe('money', () => {
  it('is whole nano-dollars inside', () => {
    fc.assert(
      fc.property(usd, (value) => {
        const inside = toNanoUsd(value);
        expect(Number.isSafeInteger(inside)).toBe(true);
        expect(Math.abs(inside - value * 1e9)).toBeLessThanOrEqual(0.5);
      }),
      runs(1_000),
    );
  });

  it('comes back as it was, up to a million USD', () => {
    fc.assert(
      fc.property(nano, (value) => {
        expect(toNanoUsd(toUsd(value))).toBe(value);
      }),
      runs(1_000),
    );
  });

  it('adds up to the same in any order, as doubles do not', () => {
    fc.assert(
      fc.property(fc.array(usd, { maxLength: 50 }), (values) => {
        const sum = (list: readonly number[]): number => list.reduce((a, b) => a + toNanoUsd(b), 0);
        expect(sum(values)).toBe(sum(values.toReversed()));
        expect(sum(values)).toBe(Number(values.reduce((a, b) => a + BigInt(toNanoUsd(b)), 0n)));
      }),
      runs(500),
    );
    expect(toUsd(toNanoUsd(0.1) + toNanoUsd(0.2))).toBe(0.3);
    expect(0.1 + 0.2).not.toBe(0.3);
  });

  it('rounds what is less than a nano-dollar', () => {
    expect([4.9e-10, 5e-10, 1e-9, 1.4e-9, 0].map(toNanoUsd)).toEqual([0, 1, 1, 1, 0]);
  });
});
