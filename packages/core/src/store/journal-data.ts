import type { Head, ParentLink } from './rows.ts';

/** What entries of the journal hold beside their type: JSON, or null for none. */

export function createdData(parent: ParentLink | null): string | null {
  if (parent === null) return null;
  const { branchName, forkSeq, sessionId } = parent;
  return JSON.stringify({ parentSessionId: sessionId, branchName, forkSeq });
}

export function checkpointData(n: number, seq: number, automatic: boolean): string {
  return JSON.stringify({ n, seq, automatic });
}

/** @param n the number of the record that keeps the move for good */
export function moveData(n: number, move: string, to: Head): string {
  return JSON.stringify({ n, move, to });
}

/** Of a session that its last turn closed. */
export const fullData: string = '{"reason":"turn_limit"}';
