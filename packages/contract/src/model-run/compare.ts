import { Name, type Names } from './names.ts';

/** A JSON value that must come back to the letter, the order of its keys included. */
export class Verbatim {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }

  toJSON(): unknown {
    return this.value;
  }
}

/** The design leaves it open which of these it is; once seen, it stays. */
export class OneOf {
  readonly #choices: readonly unknown[];
  #chosen: { readonly value: unknown } | undefined;

  constructor(...choices: readonly unknown[]) {
    this.#choices = choices;
  }

  match(names: Names, actual: unknown, path: string): string | null {
    if (this.#chosen !== undefined) return difference(names, this.#chosen.value, actual, path);
    let first: string | null = null;
    for (const value of this.#choices) {
      const found = difference(names, value, actual, path);
      if (found === null) {
        this.#chosen = { value };
        return null;
      }
      first ??= found;
    }
    return first;
  }

  toJSON(): unknown {
    return this.#chosen?.value ?? this.#choices[0];
  }
}

/** Where an answer differs from what the model expects, in words; null if it does not. */
export function difference(
  names: Names,
  expected: unknown,
  actual: unknown,
  path: string,
): string | null {
  const at = path === '' ? 'the answer' : path;
  const differs = (): string =>
    `${at}: expected ${names.show(expected)}, got ${names.show(actual)}`;
  if (expected instanceof Name) {
    const problem = names.bind(expected, actual);
    return problem === null ? null : `${at}: ${problem}, got ${names.show(actual)}`;
  }
  if (expected instanceof OneOf) return expected.match(names, actual, path);
  if (expected instanceof Verbatim) {
    return JSON.stringify(expected.value) === JSON.stringify(actual) ? null : differs();
  }
  if (typeof expected !== 'object' || expected === null) {
    return Object.is(expected, actual) ? null : differs();
  }
  if (typeof actual !== 'object' || actual === null) return differs();
  if (Array.isArray(expected) !== Array.isArray(actual)) return differs();
  if (Array.isArray(expected) && expected.length !== (actual as unknown[]).length) {
    return `${at}: expected ${expected.length} items, got ${(actual as unknown[]).length}; ${differs()}`;
  }
  return differenceOfMembers(names, expected, actual, path);
}

function differenceOfMembers(
  names: Names,
  expected: object,
  actual: object,
  path: string,
): string | null {
  const wanted = new Map(Object.entries(expected).filter(([, value]) => value !== undefined));
  const given = new Map(Object.entries(actual).filter(([, value]) => value !== undefined));
  for (const [key, value] of wanted) {
    const inner = Array.isArray(expected)
      ? `${path}[${key}]`
      : path === ''
        ? key
        : `${path}.${key}`;
    if (!given.has(key)) return `${inner}: expected ${names.show(value)}, but it is missing`;
    const found = difference(names, value, given.get(key), inner);
    if (found !== null) return found;
  }
  const surplus = [...given.keys()].find((key) => !wanted.has(key));
  if (surplus === undefined) return null;
  return `${path === '' ? surplus : `${path}.${surplus}`}: unexpected, ${names.show(given.get(surplus))}`;
}
