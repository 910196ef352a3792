import { SessionInputError, SessionLimitError } from '../errors.ts';
import { limits } from './limits.ts';
import { readInput } from './read-input.ts';

/** Any JSON value, as it is handed out: deeply frozen. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** A JSON object with any keys. */
export type JsonObject = { readonly [key: string]: JsonValue };

/** What is allowed in a value that `copyJson` copies. */
export interface JsonRules {
  /** Levels of nesting that are left: an object or array counts one, what is in it the next. */
  readonly depth: number;
  /** All levels of the limit, and its name: what errors say. */
  readonly limit?: 'depth' | 'metadataDepth';
  /** The limit of bytes under which it stands. */
  readonly bytes?: 'turnBytes' | 'metadataBytes' | 'variablesBytes';

  /** Keys that are refused at any depth. */
  readonly refusedKeys: ReadonlySet<string>;
}

const noKeys: ReadonlySet<string> = new Set<string>();
/** Keys refused in a turn. */
export const protoKey: ReadonlySet<string> = new Set(['__proto__']);
/** Keys refused in metadata and variables. */
export const prototypeKeys: ReadonlySet<string> = new Set([
  '__proto__',
  'constructor',
  'prototype',
]);

/** Rules for values that are none of our business but their depth: the arguments of a tool. */
export function opaqueRules(depth: number): JsonRules {
  return { depth, refusedKeys: noKeys };
}

/**
 * A deep, frozen copy of a value as `JSON.stringify` would write it: `toJSON` is honoured, members that are
 * undefined are left out. What JSON would change in silence is refused: numbers that are not finite,
 * functions, symbols, bigints, objects of a class of their own, ill-formed text and U+0000.
 * `path` names the value in errors.
 *
 * @throws SessionInputError for what is no JSON; SessionLimitError past the depth, or past a size that no limit
 * of bytes would let through
 */
export function copyJson(value: unknown, path: string, rules: JsonRules): JsonValue {
  return readInput(path, () => new JsonCopy(rules, path).copy(value, '', path, rules.depth));
}

/** One copy on its way. */
class JsonCopy {
  readonly #rules: JsonRules;
  readonly #root: string;
  /** Characters that may still come: a value takes one at least, and a comma. */
  #left: number = limits.turnBytes;

  constructor(rules: JsonRules, root: string) {
    this.#rules = rules;
    this.#root = root;
  }

  copy(given: unknown, key: string, path: string, levels: number): JsonValue {
    const value = asJson(given, key);
    switch (typeof value) {
      case 'string':
        this.#spend(value.length);
        return checkText(value, path);
      case 'number':
        // JSON has no minus zero.
        if (Number.isFinite(value)) return value + 0;
        throw new SessionInputError(
          path,
          `${value} is no JSON number; use a finite number or null`,
        );
      case 'boolean':
        return value;
      case 'object':
        return value === null ? null : this.#copyObject(value, path, levels);
      default:
        throw new SessionInputError(path, `a ${typeof value} is no JSON value`);
    }
  }

  #copyObject(value: object, path: string, levels: number): JsonValue {
    if (levels <= 0) {
      const limit = this.#rules.limit ?? 'depth';
      throw new SessionLimitError(path, limit, limits[limit] + 1, limits[limit], 'levels');
    }

    if (Array.isArray(value)) {
      this.#spend(value.length * 2);
      const copyItem = (item: unknown, i: number): JsonValue =>
        item === undefined ? null : this.copy(item, String(i), `${path}[${i}]`, levels - 1);
      return mapItems(value, copyItem);
    }
    if (!isPlainObject(value)) {
      const name = (value.constructor as { name?: unknown } | undefined)?.name;
      throw new SessionInputError(
        path,
        `an object of class ${String(name)} is no JSON value; give a plain object`,
      );
    }
    const copy: Record<string, JsonValue> = {};
    for (const key of Object.keys(value)) {
      const member = value[key];
      if (member === undefined) continue;
      this.#spend(key.length + 2);

      checkKey(key, path, this.#rules.refusedKeys);
      setOwn(copy, key, this.copy(member, key, `${path}.${key}`, levels - 1));
    }
    return Object.freeze(copy);
  }

  #spend(characters: number): void {
    this.#left -= characters;
    if (this.#left >= 0) return;
    const limit = this.#rules.bytes ?? 'turnBytes';
    const max = limits[limit];
    throw new SessionLimitError(this.#root, limit, limits.turnBytes - this.#left, max, 'bytes');
  }
}

/** What a value wants to be written as: `toJSON` is asked once, as `JSON.stringify` does. */
function asJson(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { toJSON } = value as { toJSON?: unknown };
  return typeof toJSON === 'function' ? toJSON.call(value, key) : value;
}

/** A frozen list of what a function makes of each item, holes included, in order of the indexes. */
export function mapItems<T>(
  items: readonly unknown[],
  map: (item: unknown, i: number) => T,
): readonly T[] {
  const mapped: T[] = [];
  for (let i = 0; i < items.length; i++) mapped.push(map(items[i], i));
  return Object.freeze(mapped);
}

function checkKey(key: string, path: string, refused: ReadonlySet<string>): void {
  if (refused.has(key)) throw new SessionInputError(path, `the key '${key}' is not allowed`);
  checkText(key, `${path} (a key)`);
}

/** Sets a member whatever its key is called: a plain assignment of `__proto__` would set the prototype. */
export function setOwn<T>(target: Record<string, T>, key: string, value: T): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  } else {
    target[key] = value;
  }
}

/** Whether a value is an object literal, a parsed JSON object, or one without a prototype; of any realm. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** The text itself, if every engine can store it and give it back. */
export function checkText(text: string, path: string): string {
  if (!text.isWellFormed()) {
    throw new SessionInputError(
      path,
      'the text has a surrogate without its partner; make it well-formed (toWellFormed) first',
    );
  }
  if (text.includes('\0')) throw new SessionInputError(path, 'the text has a U+0000; take it out');
  return text;
}

/** Freezes a parsed JSON value all the way down and returns it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const key in value) {
      const member = value[key];
      if (typeof member === 'object' && member !== null) deepFreeze(member);
    }
  }
  return value;
}

/** The number of UTF-8 bytes of a well-formed text. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // A surrogate pair is two units and four bytes; other units above U+07FF are three.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}

/** Whether a well-formed text has more UTF-8 bytes than `max`; counts only if it comes near. */
export function exceedsBytes(text: string, max: number): boolean {
  return text.length * 3 > max && utf8Bytes(text) > max;
}

/** Whether two JSON values are the same, the order of an object's keys aside. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => equalJson(item, b[i]));
  }
  if (Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every(
    (key) =>
      Object.hasOwn(b, key) &&
      equalJson((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
  );
}
