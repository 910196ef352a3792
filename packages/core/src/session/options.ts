import { SessionInputError } from '../errors.ts';
import { kindOf } from './ids.ts';

/** @throws SessionInputError if options are given that the call does not know */
export function checkOptions(
  options: unknown,
  known: readonly string[],
  path = 'options',
): Record<string, unknown> {
  if (options === undefined) return {};
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new SessionInputError(path, `expected an object, got ${kindOf(options)}`);
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw new SessionInputError(
        path,
        `has the unknown field ${kindOf(key)}; known are ${known.join(', ')}`,
      );
    }
  }
  return options as Record<string, unknown>;
}
