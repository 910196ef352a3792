import { deepStrictEqual } from 'node:assert';
import { Buffer } from 'node:buffer';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SessionInputError, SessionLimitError } from '../../src/errors.ts';
import {
  checkText,
  copyJson,
  equalJson,
  exceedsBytes,
  isPlainObject,
  opaqueRules,
  utf8Bytes,
} from '../../src/session/json.ts';
import { jsonObject, jsonValue, text } from '../json-values.ts';
import { runs } from '../scale.ts';

const rules = opaqueRules(32);
const copy = (value: unknown): unknown => copyJson(value, 'value', rules);
const written = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;

function partsOf(value: unknown): readonly object[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(partsOf)];
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe('copyJson', () => {
  it('is what JSON.stringify writes and JSON.parse reads, to the order of keys', () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        const copied = copy(value);
        deepStrictEqual(copied, written(value));
        expect(JSON.stringify(copied)).toBe(JSON.stringify(value));
      }),
      runs(1_000),
    );
  });

  it('is frozen all the way down, shares nothing with what was given and leaves that as it was', () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        const before = JSON.stringify(value);
        const given = new Set(partsOf(value));
        const parts = partsOf(copy(value));
        expect(parts.every((part) => Object.isFrozen(part))).toBe(true);
        expect(parts.some((part) => given.has(part))).toBe(false);
        expect(JSON.stringify(value)).toBe(before);
        expect([...given].some((part) => Object.isFrozen(part) && partsOf(part).length > 1)).toBe(
          false,
        );
      }),
      runs(500),
    );
  });

  it('leaves out undefined members, makes holes null, and asks toJSON', () => {
    const odd = jsonValue.map((value) => ({
      left: undefined,
      // biome-ignore lint/suspicious/noSparseArray: a hole is what this is about
      list: [value, undefined, , new Date(0)],
      at: new Date(1_700_000_000_000),
      url: new URL('https://example.com/'),
      own: { toJSON: () => value },
    }));
    fc.assert(
      fc.property(odd, (value) => deepStrictEqual(copy(value), written(value))),
      runs(300),
    );
  });

  it('tells toJSON the key, as JSON.stringify does', () => {
    const value = {
      a: { toJSON: (key: string) => `at ${key}` },
      b: [{ toJSON: (key: string) => key }],
    };
    deepStrictEqual(copy(value), written(value));
  });

  it('lets toJSON give an object at the last level', () => {
    const value = { toJSON: () => ({ a: 1 }) };
    deepStrictEqual(copyJson(value, 'value', opaqueRules(1)), { a: 1 });
  });

  it('counts the levels exactly', () => {
    fc.assert(
      fc.property(jsonValue, fc.integer({ min: 0, max: 8 }), (value, limit) => {
        const isTooDeep = depthOf(value) > limit;
        const attempt = (): unknown => copyJson(value, 'value', opaqueRules(limit));
        if (isTooDeep) expect(attempt).toThrow(SessionLimitError);
        else deepStrictEqual(attempt(), written(value));
      }),
      runs(500),
    );
  });

  it('refuses a key at any depth', () => {
    fc.assert(
      fc.property(jsonObject, fc.constantFrom('a', 'b', '__proto__'), (value, refused) => {
        const has = partsOf(value).some(
          (part) => !Array.isArray(part) && Object.hasOwn(part, refused),
        );
        const attempt = (): unknown =>
          copyJson(value, 'value', { depth: 32, refusedKeys: new Set([refused]) });
        if (has) expect(attempt).toThrow(SessionInputError);
        else deepStrictEqual(attempt(), written(value));
      }),
      runs(500),
    );
  });
});

describe('utf8Bytes', () => {
  it('is Buffer.byteLength', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (value) => {
        expect(utf8Bytes(value)).toBe(Buffer.byteLength(value));
      }),
      runs(1_000),
    );
  });

  it('is told from a limit without being counted', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 60 }), (value, max) => {
        expect(exceedsBytes(value, max)).toBe(Buffer.byteLength(value) > max);
      }),
      runs(1_000),
    );
  });
});

describe('checkText', () => {
  const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));

  it('passes what a store gives back, and only that', () => {
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 6 }), (value) => {
        const survives = Buffer.from(value).toString() === value && !value.includes('\0');
        if (survives) expect(checkText(value, 'value')).toBe(value);
        else expect(() => checkText(value, 'value')).toThrow(SessionInputError);
      }),
      runs(1_000),
    );
  });
});

describe('equalJson', () => {
  const shuffled = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(shuffled);
    const entries = Object.entries(value).map(([key, member]) => [key, shuffled(member)]);
    return Object.fromEntries(entries.reverse()) as unknown;
  };

  it('does not see the order of keys, and sees all else', () => {
    fc.assert(
      fc.property(jsonValue, jsonValue, (a, b) => {
        const [one, other] = [written(a), written(b)];
        expect(equalJson(one, shuffled(one))).toBe(true);
        const same = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
        expect(equalJson(one, other)).toBe(same);
        expect(equalJson(other, one)).toBe(same);
      }),
      runs(500),
    );
  });

  const sorted = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(sorted);
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return { entries: entries.map(([key, member]) => [key, sorted(member)]) };
  };
});

describe('isPlainObject', () => {
  it('takes objects of other realms and those without a prototype', () => {
    const foreign: unknown = runInNewContext('({ a: { b: [1] } })');
    expect([{}, Object.create(null), foreign].map(isPlainObject)).toEqual([true, true, true]);
    deepStrictEqual(copy(foreign), { a: { b: [1] } });
  });

  it('takes nothing that is of a class', () => {
    const others = [[], new Map(), new Date(), /x/, Object.create({ a: 1 }), () => 1, null, 'x', 1];
    expect(others.map(isPlainObject)).toEqual(others.map(() => false));
  });
});
