import assert from 'node:assert/strict';
import { isSessionError, type SessionError } from '@lexigram/ai-session';

/** The errors by the word that laws use for them. */
const codes = {
  notFound: 'LEX_ERR_SES_007',
  closed: 'LEX_ERR_SES_008',
  expired: 'LEX_ERR_SES_009',
  noCheckpoint: 'LEX_ERR_SES_010',
  transition: 'LEX_ERR_SES_011',
  capacity: 'LEX_ERR_SES_012',
  conflict: 'LEX_ERR_SES_013',
  input: 'LEX_ERR_SES_014',
  limit: 'LEX_ERR_SES_015',
  unavailable: 'LEX_ERR_SES_016',
  corrupt: 'LEX_ERR_SES_017',
  lease: 'LEX_ERR_SES_019',
} as const;

export type Fault = keyof typeof codes;

/** What a call was refused with; fails if it succeeds or throws anything but this fault. */
export async function refused(
  call: Promise<unknown>,
  fault: Fault,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<SessionError> {
  const answer = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('value' in answer) assert.fail(`expected the fault '${fault}', but the call was answered`);
  return isFault(answer.error, fault, fields);
}

/** Asserts which fault an error is, and what it says. */
export function isFault(
  error: unknown,
  fault: Fault,
  fields: Readonly<Record<string, unknown>> = {},
): SessionError {
  if (!isSessionError(error)) {
    assert.fail(`expected the fault '${fault}', got ${String((error as Error)?.stack ?? error)}`);
  }
  assert.equal(error.code, codes[fault], `expected the fault '${fault}', got: ${error.message}`);
  const said = error as unknown as Readonly<Record<string, unknown>>;
  for (const [key, value] of Object.entries(fields)) assert.deepEqual(said[key], value, key);
  return error;
}
