import { SessionCorruptDataError } from '../errors.ts';
import { isPlainObject } from './json.ts';

/**
 * A JSON object that a store gave back.
 *
 * @throws SessionCorruptDataError, which names the place, if it is none
 */
export function readStored(json: string, place: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new SessionCorruptDataError(place, 'what stands there is no JSON', { cause });
  }
  if (isPlainObject(value)) return value;
  throw new SessionCorruptDataError(place, 'what stands there is no object');
}
