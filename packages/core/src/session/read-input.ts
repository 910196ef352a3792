import { isSessionError, SessionInputError } from '../errors.ts';

/** Reads what a caller gave: what its getters or proxies throw is a fault of the input. */
export function readInput<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (isSessionError(cause)) throw cause;
    throw new SessionInputError(path, 'could not be read: reading it threw an error', { cause });
  }
}
