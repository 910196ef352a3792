import type { SessionWrites, StoredSession } from '@lexigram/ai-session/store';

/**
 * Whether a flush appends turns to the session's timeline and does no more.
 *
 * @param separator what none of their texts may have in it
 */
export function isPlain(writes: SessionWrites, before: StoredSession, separator: string): boolean {
  const { cleared, deleted, journal, moved, owner, records, row, timelines, variables } = writes;
  return (
    owner === undefined &&
    cleared.length === 0 &&
    deleted.length === 0 &&
    journal.length === 0 &&
    moved.length === 0 &&
    records.length === 0 &&
    timelines.length === 0 &&
    variables.length === 0 &&
    isElsewhereEqual(row, before) &&
    areAppended(writes, separator)
  );
}

/** Field by field and not over a list of them: this runs with each turn. */
function isElsewhereEqual(row: StoredSession, before: StoredSession): boolean {
  return (
    row.sessionId === before.sessionId &&
    row.tenantId === before.tenantId &&
    row.userId === before.userId &&
    row.status === before.status &&
    row.timeline === before.timeline &&
    row.variablesTimeline === before.variablesTimeline &&
    row.variablesPosition === before.variablesPosition &&
    row.variablesRevision === before.variablesRevision &&
    row.variablesDepth === before.variablesDepth &&
    row.moves === before.moves &&
    row.timelines === before.timelines &&
    row.parentSessionId === before.parentSessionId &&
    row.branchName === before.branchName &&
    row.forkSeq === before.forkSeq &&
    row.createdAt === before.createdAt &&
    row.closedReason === before.closedReason &&
    row.dueAt === before.dueAt
  );
}

/** Whether the turns are the last ones up to where the session then stands, in order. */
function areAppended({ row, turns }: SessionWrites, separator: string): boolean {
  const last = turns.at(-1);
  if (last === undefined) return false;
  const isEnd =
    last.turnId === row.turnId &&
    last.tokens === row.tokens &&
    last.cost === row.cost &&
    last.revision === row.revision;
  const timelineId = `${row.sessionId}.${row.timeline}`;
  let seq = row.seq - turns.length;
  for (const turn of turns) {
    seq += 1;
    if (turn.seq !== seq || turn.timelineId !== timelineId || turn.origin !== null) return false;
    if (turn.body.includes(separator) || turn.turnId.includes(separator)) return false;
  }
  return isEnd;
}
