import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type StateDelta, StateDiff } from '../../src/checkpointing/state-diff.ts';
import { deepFreeze, equalJson } from '../../src/session/json.ts';
import { jsonObject, jsonValue } from '../json-values.ts';
import { runs } from '../scale.ts';

const frozen = (value: object): object => deepFreeze(JSON.parse(JSON.stringify(value)) as object);

/** Two objects that have much in common: one, and what a few changes make of it. */
const related = fc
  .tuple(jsonObject, fc.array(fc.tuple(fc.nat(), jsonValue, fc.nat(3)), { maxLength: 4 }))
  .map(([before, changes]) => {
    const after = JSON.parse(JSON.stringify(before)) as object;
    for (const [at, value, how] of changes) change(after, at, value, how);
    return [frozen(before), frozen(after)] as const;
  });

function change(root: object, at: number, value: unknown, how: number): void {
  const places = placesOf(root);
  const place = places[at % places.length] as object;
  if (Array.isArray(place)) {
    if (how < 2) place.push(value);
    else place[0] = value;
    return;
  }
  const keys = Object.keys(place);
  const key = keys[at % Math.max(1, keys.length)] ?? 'new';
  if (how === 0) Reflect.deleteProperty(place, key);
  else
    Object.defineProperty(place, how === 1 ? 'new' : key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
}

function placesOf(value: unknown): readonly object[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(placesOf)];
}

function leadsTo(before: object, after: object): void {
  const delta = StateDiff.compute(before, after);
  const result = StateDiff.apply(before, delta);
  expect(equalJson(result, after)).toBe(true);
  // A delta is data: it may be written and read.
  const read = JSON.parse(JSON.stringify(delta)) as StateDelta;
  expect(equalJson(StateDiff.apply(before, read), after)).toBe(true);
  expect(equalJson(before, after)).toBe(Object.keys(delta).length === 0);
}

describe('StateDiff', () => {
  it('leads from any object to any other', () => {
    fc.assert(
      fc.property(jsonObject, jsonObject, (a, b) => leadsTo(frozen(a), frozen(b))),
      runs(1_000),
    );
  });

  it('leads from an object to what was made of it', () => {
    fc.assert(
      fc.property(related, ([before, after]) => leadsTo(before, after)),
      runs(2_000),
    );
  });

  it('says nothing of what did not change', () => {
    fc.assert(
      fc.property(jsonObject, (value) => {
        deepStrictEqual(StateDiff.compute(frozen(value), frozen(value)), {});
      }),
      runs(300),
    );
  });

  it('names only what changed, where it changed', () => {
    const before = { kept: [1], grown: [1, 2], gone: 1, inner: { same: 'long', count: 1 } };
    const after = { kept: [1], grown: [1, 2, 3], inner: { same: 'long', count: 2 }, made: null };
    deepStrictEqual(StateDiff.compute(before, after), {
      set: { made: null },
      unset: ['gone'],
      appended: { grown: [3] },
      nested: { inner: { set: { count: 2 } } },
    });
  });

  it('knows keys that every object inherits', () => {
    const before = JSON.parse('{"__proto__":{"p":1},"toString":[1]}') as object;
    const after = JSON.parse('{"__proto__":{"p":2},"toString":[1,2],"constructor":{}}') as object;
    leadsTo(before, after);
    leadsTo(after, before);
    leadsTo({}, before);
    leadsTo(before, {});
    expect(({} as { p?: unknown }).p).toBeUndefined();
  });

  it('leaves undefined members out', () => {
    deepStrictEqual(StateDiff.compute({ a: undefined, b: 1 }, { a: undefined, b: undefined }), {
      unset: ['b'],
    });
  });
});
