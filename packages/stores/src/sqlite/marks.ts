import type { MarkRow, VariablesVersion } from '@lexigram/ai-session/store';
import { timelineColumns, toTimeline } from '../timeline-values.ts';
import { type SqlRow, toTurn, turnColumns } from './rows.ts';
import type { Statements } from './statements.ts';

/** A session as the engine keys it. */
export interface SessionKey {
  readonly key: number;
  readonly sessionId: string;
}

/** Automatic checkpoints, which are marks on turns, with numbers above `from` and below `to`. */
export function readMarks(
  { sql }: Statements,
  session: SessionKey,
  { from, to }: { readonly from: number; readonly to: number },
  page: { readonly limit: number; readonly order?: 'asc' | 'desc' },
): readonly MarkRow[] {
  return sql(
    `SELECT ${turnColumns}, ifnull(t.stored_at, t.at) AS storedAt FROM ai_turns t
     WHERE session = ? AND checkpoint > ? AND checkpoint < ?
     ORDER BY checkpoint ${page.order === 'desc' ? 'DESC' : 'ASC'} LIMIT ?`,
  )
    .all(session.key, from, to, page.limit)
    .map((row) => ({
      turn: toTurn(row, session.sessionId),
      createdAt: row.storedAt as number,
      variables: variablesRightAfter({ sql }, session, row),
    }));
}

function variablesRightAfter(
  { sql }: Pick<Statements, 'sql'>,
  { key, sessionId }: SessionKey,
  { seq, timeline }: SqlRow,
): VariablesVersion | null {
  const timelineId = `${sessionId}.${timeline as number}`;
  const row = sql(
    `SELECT position, revision FROM ai_variables WHERE session = ? AND timeline = ? AND position <= ?
     ORDER BY position DESC, revision DESC LIMIT 1`,
  ).get(key, timeline as number, (seq as number) * 2);
  if (row !== undefined) {
    return { timelineId, position: row.position as number, revision: row.revision as number };
  }
  const base = sql(`SELECT ${timelineColumns} FROM ai_timelines WHERE session = ? AND n = ?`).get(
    key,
    timeline as number,
  );
  return base === undefined
    ? null
    : (toTimeline(base, sessionId, timelineId).base?.variables ?? null);
}
