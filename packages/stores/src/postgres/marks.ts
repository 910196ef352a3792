import type { MarkRow, VariablesVersion } from '@lexigram/ai-session/store';
import { readPoint } from '../timeline-values.ts';
import type { SqlRow } from './client.ts';
import { toTurn, turnColumns } from './rows.ts';

/** Automatic checkpoints with the variables right after their turns; conditions on `t` follow. */
export function selectMarks(schema: string): string {
  return `SELECT ${turnColumns}, t.stored_at AS "storedAt", v.position AS "variablesPosition",
      v.revision AS "variablesRevision",
      (SELECT base FROM "${schema}".ai_timelines WHERE session = t.session AND n = t.timeline) AS base
    FROM "${schema}".ai_turns t
    LEFT JOIN LATERAL (SELECT position, revision FROM "${schema}".ai_variables
      WHERE session = t.session AND timeline = t.timeline AND position <= t.seq::bigint * 2
      ORDER BY position DESC, revision DESC LIMIT 1) v ON true
    WHERE t.checkpoint > 0`;
}

export function toMark(row: SqlRow, sessionId: string): MarkRow {
  const turn = toTurn(row, sessionId);
  return {
    turn,
    createdAt: row.storedAt === '' ? turn.at : Number(row.storedAt),
    variables: variablesAt(row, turn.timelineId),
  };
}

function variablesAt(row: SqlRow, timelineId: string): VariablesVersion | null {
  const position = row.variablesPosition as number | null;
  if (position === null) {
    const base = row.base as string | null;
    return base === null ? null : readPoint(base).variables;
  }
  return { timelineId, position, revision: row.variablesRevision as number };
}
