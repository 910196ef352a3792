import { isSessionError, SessionInputError, SessionStoreUnavailableError } from '../errors.ts';
import { kindOf } from '../session/ids.ts';

type Log = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/**
 * Takes lines of a log, as pino does. What is told has no content of turns, metadata or variables, no user and no
 * address of a store; ids of sessions are fingerprints.
 */
export interface SessionLogger {
  debug: Log;
  info: Log;
  warn: Log;
  error: Log;
}

const levels = ['debug', 'info', 'warn', 'error'] as const;

const nothing: Log = () => {};

/** Says nothing. */
export const silentLogger: SessionLogger = Object.freeze({
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
});

/**
 * A caller's logger, behind a guard: whatever it throws or rejects is dropped, so that no call fails for its log.
 *
 * @throws SessionInputError if it is none
 */
export function guardLogger(logger: unknown, path: string): SessionLogger {
  if (logger === undefined) return silentLogger;
  const given = logger as Partial<SessionLogger> | null;
  const guarded: Partial<SessionLogger> = {};
  for (const level of levels) {
    if (typeof given?.[level] !== 'function') {
      const expected = `expected an object with ${levels.join(', ')}`;
      throw new SessionInputError(path, `${expected}, got ${kindOf(logger)}`);
    }
    guarded[level] = (fields, message) => {
      try {
        const answer: unknown = given[level]?.(fields, message);
        if (answer instanceof Promise) answer.catch(() => {});
      } catch {
        // A log that is broken must not break what it tells of, and there is nobody to tell.
      }
    };
  }
  return Object.freeze(guarded as SessionLogger);
}

/** An error as a log may have it: which one, and why, without its message, which may quote anything. */
export function loggedError(error: unknown): Readonly<Record<string, unknown>> {
  if (error instanceof SessionStoreUnavailableError)
    return { error: error.code, reason: error.reason };
  if (isSessionError(error)) return { error: error.code };
  if (!(error instanceof Error)) return { error: typeof error };
  const { code } = error as { code?: unknown };
  const isCode = typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(code);
  return { error: isCode ? code : error.name.slice(0, 64) };
}
