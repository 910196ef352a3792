import { type FeedItem, type FeedPage, turnItems } from '@lexigram/ai-session/store';
import type { RunSql, SqlRow } from './client.ts';
import { toTurn, turnColumns } from './rows.ts';

/** More than any one revision leaves: a batch of turns, or the entries of one change. */
const ofOneRevision = 256;

/**
 * A page of a session's feed. Along a timeline revisions rise, so that the first turn after one is found by halves,
 * on all timelines in one statement. No index of its own is kept for it, and what a page costs does not grow with
 * the history.
 */
export async function readFeed(
  read: RunSql,
  schema: string,
  sessionId: string,
  { after, limit }: FeedPage,
): Promise<readonly FeedItem[]> {
  const most = limit + ofOneRevision;
  const [turns, entries] = await Promise.all([
    read(turnsAfter(schema), sessionId, after, most),
    read(entriesAfter(schema), sessionId, after, most),
  ]);
  // Two looks at a session that others may write to in between: what both can have seen is whole.
  const upTo = Math.min(revisionIn(turns), revisionIn(entries));
  const items = [
    ...turns
      .filter((row) => row.turnId !== null)
      .flatMap((row) => turnItems(toTurn(row, sessionId))),
    ...entries
      .filter((row) => row.type !== null)
      .map(({ at, data, revision, type }) => ({ revision, type, at, data }) as FeedItem),
  ]
    .filter((item) => item.revision <= upTo)
    .sort((a, b) => a.revision - b.revision);
  // A change is never cut in two: what belongs to the last one comes with it.
  const last = items[limit - 1]?.revision ?? Number.POSITIVE_INFINITY;
  return items.filter((item) => item.revision <= last);
}

/** The session's revision when a statement looked; 0 if there is no session. */
function revisionIn(rows: readonly SqlRow[]): number {
  return (rows[0]?.upTo as number | undefined) ?? 0;
}

function entriesAfter(schema: string): string {
  return `SELECT s.revision AS "upTo", j.revision, j.type, j.at, j.data FROM "${schema}".ai_sessions s
    LEFT JOIN LATERAL (SELECT * FROM "${schema}".ai_journal
      WHERE session = s.key AND revision > $2::bigint ORDER BY revision, part LIMIT $3::bigint) j ON true
    WHERE s.session_id = $1 ORDER BY j.revision, j.part`;
}

function turnsAfter(schema: string): string {
  const end = (order: 'ASC' | 'DESC'): string =>
    `(SELECT seq, revision FROM "${schema}".ai_turns WHERE session = l.session AND timeline = l.n
      ORDER BY seq ${order} LIMIT 1)`;
  return `WITH RECURSIVE halves (session, timeline, low, high) AS (
      SELECT l.session, l.n, f.seq, e.seq FROM "${schema}".ai_timelines l
      CROSS JOIN LATERAL ${end('ASC')} f CROSS JOIN LATERAL ${end('DESC')} e
      WHERE l.session = (SELECT key FROM "${schema}".ai_sessions
          WHERE session_id = $1 AND status <> 'deleted' AND revision > $2::bigint)
        AND e.revision > $2::bigint
      UNION ALL
      SELECT h.session, h.timeline,
        CASE WHEN m.revision > $2::bigint THEN h.low ELSE m.seq + 1 END,
        CASE WHEN m.revision > $2::bigint THEN m.seq ELSE h.high END
      FROM halves h CROSS JOIN LATERAL (SELECT seq, revision FROM "${schema}".ai_turns
        WHERE session = h.session AND timeline = h.timeline AND seq = (h.low + h.high) / 2) m
      WHERE h.low < h.high)
    SELECT s.revision AS "upTo", ${turnColumns} FROM "${schema}".ai_sessions s
    LEFT JOIN LATERAL (SELECT q.* FROM halves h
      CROSS JOIN LATERAL (SELECT * FROM "${schema}".ai_turns
        WHERE session = h.session AND timeline = h.timeline AND seq >= h.low
        ORDER BY seq LIMIT $3::bigint) q
      WHERE h.low = h.high ORDER BY q.revision, q.seq LIMIT $3::bigint) t ON true
    WHERE s.session_id = $1 ORDER BY t.revision, t.seq`;
}
