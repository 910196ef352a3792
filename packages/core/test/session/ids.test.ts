import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  checkName,
  checkpointId,
  isSessionId,
  newSessionId,
  newTurnId,
  parseCheckpointId,
  parseTimelineId,
  timelineId,
} from '../../src/session/ids.ts';
import { countOf, seeded } from '../scale.ts';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const count = countOf(1_000_000, 100_000);

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** How many standard deviations the count of a character at a position is off, at the most. */
function worstSigma(ids: readonly string[], positions: readonly number[]): number {
  const expected = ids.length / alphabet.length;
  const sigma = Math.sqrt(expected * (1 - 1 / alphabet.length));
  let worst = 0;
  for (const position of positions) {
    const counts = new Map<string, number>([...alphabet].map((character) => [character, 0]));
    for (const id of ids) {
      const character = id[position] as string;
      counts.set(character, (counts.get(character) ?? Number.NaN) + 1);
    }
    for (const seen of counts.values()) {
      worst = Math.max(worst, Math.abs(seen - expected) / sigma);
    }
    if (counts.size !== alphabet.length) return Number.POSITIVE_INFINITY;
  }
  return worst;
}

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

/** Chance that can be had again, so that a limit of 5 sigma does not fail once in a thousand runs. */
function withSeededBytes(): void {
  const next = seeded(7);
  vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
    const bytes = array as unknown as Uint8Array;
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(next() * 256);
    return array;
  });
}

describe('newSessionId', () => {
  it('is 22 characters of base62, none twice', () => {
    const ids = Array.from({ length: count }, newSessionId);
    expect(new Set(ids).size).toBe(count);
    expect(ids.every((id) => /^[0-9A-Za-z]{22}$/.test(id) && isSessionId(id))).toBe(true);
    // Real chance: 1,364 counts stay within 7 sigma but for once in 280 million runs.
    expect(worstSigma(ids, range(0, 22))).toBeLessThan(7);
  });

  it('has each character at each place as often as any other', () => {
    withSeededBytes();
    const ids = Array.from({ length: count }, newSessionId);
    expect(worstSigma(ids, range(0, 22))).toBeLessThan(5);
  });

  it('has at least 128 random bits', () => {
    expect(22 * Math.log2(alphabet.length)).toBeGreaterThanOrEqual(128);
  });
});

describe('newTurnId', () => {
  it('is 20 characters of base62, none twice', () => {
    const ids = Array.from({ length: count }, newTurnId);
    expect(new Set(ids).size).toBe(count);
    expect(ids.every((id) => /^[0-9A-Za-z]{20}$/.test(id))).toBe(true);
  });

  it('has each character at each random place as often as any other', () => {
    withSeededBytes();
    const ids = Array.from({ length: count }, newTurnId);
    expect(worstSigma(ids, range(8, 20))).toBeLessThan(5);
  });

  it('ascends with the time, also when the clock goes back', () => {
    vi.useFakeTimers();
    const start = Date.UTC(2_050, 0, 1);
    const times = [0, 1, 61, 62, 3_843, 3_844, 10 ** 9, 5, 10 ** 9 + 1, 10 ** 12];
    const prefixes = times.map((after) => {
      vi.setSystemTime(start + after);
      return newTurnId().slice(0, 8);
    });
    expect([...prefixes].sort()).toEqual(prefixes);
    expect(prefixes[7]).toBe(prefixes[6]);
    expect(new Set(prefixes).size).toBe(times.length - 1);
  });
});

describe('ids of what a session owns', () => {
  it('carry its id', () => {
    for (const id of ['a', '__proto__', '-_-', 'x'.repeat(128), newSessionId()]) {
      for (const n of [1, 2, 63, 999_999_999_999_999]) {
        expect(parseTimelineId(timelineId(id, n))).toEqual({ sessionId: id, n });
        expect(parseCheckpointId(checkpointId(id, n))).toEqual({ sessionId: id, n });
      }
    }
  });

  it('are nothing else', () => {
    const others = [
      'a.c0',
      'a.c01',
      'a.c',
      'a.1',
      'a',
      '.c1',
      'a b.c1',
      `${'x'.repeat(129)}.c1`,
      7,
      null,
    ];
    expect(others.map(parseCheckpointId)).toEqual(others.map(() => null));
  });
});

describe('checkName', () => {
  it('takes what is printable up to its length', () => {
    for (const name of ['x', 'x'.repeat(128), 'a b', '日本', "it's", '__proto__']) {
      expect(checkName(name, 'agent')).toBe(name);
    }
  });
});
