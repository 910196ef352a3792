import { SessionInputError } from '../errors.ts';
import { kindOf } from './ids.ts';
import { isPlainObject } from './json.ts';
import { readInput } from './read-input.ts';

/**
 * The options of a call, each read once.
 *
 * @throws SessionInputError if they are no object, or have a field that the call does not know
 */
export function checkOptions(
  options: unknown,
  known: readonly string[],
  path = 'options',
): Readonly<Record<string, unknown>> {
  if (options === undefined) return {};
  return readInput(path, () => {
    if (!isPlainObject(options)) {
      throw new SessionInputError(path, `expected an object, got ${kindOf(options)}`);
    }
    const read: Record<string, unknown> = {};
    for (const key of Object.keys(options)) {
      if (!known.includes(key)) {
        throw new SessionInputError(
          path,
          `has the unknown field ${kindOf(key)}; known are ${known.join(', ')}`,
        );
      }
      read[key] = options[key];
    }
    return read;
  });
}

/** @throws SessionInputError if it is neither true nor false; undefined is false */
export function parseFlag(value: unknown, path: string): boolean {
  if (value === undefined) return false;
  if (typeof value === 'boolean') return value;
  throw new SessionInputError(path, `expected true or false, got ${kindOf(value)}`);
}
