import {
  isSessionError,
  type SessionCapacityError,
  type SessionConflictError,
  type SessionError,
} from '@lexigram/ai-session';
import { difference } from './compare.ts';
import { Refusal } from './model/refusal.ts';
import type { Names } from './names.ts';

/** How a call ended. */
export type Outcome = { readonly answer: unknown } | { readonly error: unknown };

export function outcomeOf(call: () => unknown): Outcome {
  try {
    return { answer: call() };
  } catch (error) {
    return { error };
  }
}

export async function outcomeOfAsync(call: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { answer: await call() };
  } catch (error) {
    return { error };
  }
}

/** What the store did otherwise than the model, in words; null if they agree. */
export function disagreement(names: Names, expected: Outcome, actual: Outcome): string | null {
  if ('answer' in expected) {
    if ('answer' in actual) return difference(names, expected.answer, actual.answer, '');
    return `expected an answer, got ${described(actual.error)}`;
  }
  const refusal = expected.error;
  if (!(refusal instanceof Refusal)) throw refusal;
  if ('answer' in actual) {
    return `expected ${refusal.message}, got the answer ${names.show(actual.answer)}`;
  }
  return disagreementOfErrors(names, refusal, actual.error);
}

function disagreementOfErrors(names: Names, refusal: Refusal, error: unknown): string | null {
  const wrong = `expected ${refusal.message}, got ${described(error)}`;
  if (!isSessionError(error) || !refusal.codes.includes(error.code)) return wrong;
  const { limits, now, reason } = refusal.details;
  const told: Told = error;
  if (told.reason !== reason) return wrong;
  // The cap of what is written on all timelines is ten times that of the history, and named after it.
  if (limits !== undefined && !limits.some((one) => one === told.limit?.split(' ')[0]))
    return wrong;
  if (now === undefined) return null;
  return difference(names, now, { head: told.head, revision: told.revision }, 'error');
}

/** What the errors of some codes say beside it. */
type Told = SessionError &
  Partial<Pick<SessionConflictError, 'reason' | 'head' | 'revision'>> &
  Partial<Pick<SessionCapacityError, 'limit'>>;

function described(error: unknown): string {
  if (isSessionError(error)) return `${codeOf(error)}: ${error.message}`;
  return error instanceof Error ? `the fault ${error.stack ?? error.message}` : String(error);
}

/** The code of an error, with the reason of a conflict and the name of a cap. */
export function codeOf(error: unknown): string {
  if (!isSessionError(error)) return 'fault';
  const { limit, reason }: Told = error;
  return [error.code, reason ?? limit ?? ''].join(' ').trim();
}
