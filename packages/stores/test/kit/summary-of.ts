import { createHash } from 'node:crypto';

/** A short text that tells which turns were summed up, in which order, however they came in pieces. */
export function summaryOf(previous: string | null, turnIds: readonly string[]): string {
  return turnIds.reduce(
    (summary, turnId) => createHash('sha256').update(`${summary} ${turnId}`).digest('base64url'),
    previous ?? '',
  );
}
