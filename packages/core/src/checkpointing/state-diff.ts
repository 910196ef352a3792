import {
  equalJson,
  isPlainObject,
  type JsonObject,
  type JsonValue,
  setOwn,
} from '../session/json.ts';

/** What changed from one JSON object to another: only that, at the depth where it changed. */
export interface StateDelta {
  /** Keys with a new value. */
  readonly set?: JsonObject;
  /** Keys that are gone. */
  readonly unset?: readonly string[];
  /** Lists that only grew: what was added at their end. */
  readonly appended?: { readonly [key: string]: readonly JsonValue[] };
  /** Objects that changed inside. */
  readonly nested?: { readonly [key: string]: StateDelta };
}

/** Computes and applies differences. */
export interface StateDiff {
  compute(before: object, after: object): StateDelta;
  /** A new object; `base` is not changed. */
  apply<T extends object = JsonObject>(base: object, delta: StateDelta): T;
}

/**
 * The difference of two states, as data. For all JSON objects a and b, `apply(a, compute(a, b))` equals b,
 * the order of keys aside. Inputs are not changed.
 */
export const StateDiff: StateDiff = Object.freeze({
  compute(before: object, after: object): StateDelta {
    const set: Record<string, JsonValue> = {};
    const appended: Record<string, readonly JsonValue[]> = {};
    const nested: Record<string, StateDelta> = {};
    for (const key of Object.keys(after)) {
      const is = (after as Record<string, JsonValue>)[key];
      if (is === undefined) continue;
      const was = Object.hasOwn(before, key) ? (before as JsonObject)[key] : undefined;
      if (equalJson(was, is)) continue;
      if (Array.isArray(was) && Array.isArray(is) && startsWith(is, was)) {
        setOwn(appended, key, is.slice(was.length));
      } else if (isPlainObject(was) && isPlainObject(is)) {
        setOwn(nested, key, StateDiff.compute(was, is));
      } else {
        setOwn(set, key, is);
      }
    }
    const unset = Object.keys(before).filter(
      (key) =>
        (before as JsonObject)[key] !== undefined &&
        (!Object.hasOwn(after, key) || (after as JsonObject)[key] === undefined),
    );
    return {
      ...(Object.keys(set).length > 0 ? { set } : {}),
      ...(unset.length > 0 ? { unset } : {}),
      ...(Object.keys(appended).length > 0 ? { appended } : {}),
      ...(Object.keys(nested).length > 0 ? { nested } : {}),
    };
  },

  apply<T extends object = JsonObject>(base: object, delta: StateDelta): T {
    const result: Record<string, unknown> = {};
    const gone = new Set(delta.unset);
    for (const key of Object.keys(base)) {
      if (!gone.has(key)) setOwn(result, key, (base as Record<string, unknown>)[key]);
    }
    for (const key of Object.keys(delta.set ?? {})) setOwn(result, key, delta.set?.[key]);
    for (const [key, items] of Object.entries(delta.appended ?? {})) {
      setOwn(result, key, [...(ownValue(result, key) as JsonValue[]), ...items]);
    }
    for (const [key, inner] of Object.entries(delta.nested ?? {})) {
      setOwn(result, key, StateDiff.apply(ownValue(result, key) as object, inner));
    }
    return result as T;
  },
});

function startsWith(list: readonly unknown[], start: readonly unknown[]): boolean {
  return start.length <= list.length && start.every((item, i) => equalJson(item, list[i]));
}

function ownValue(object: Record<string, unknown>, key: string): unknown {
  return Object.getOwnPropertyDescriptor(object, key)?.value;
}
