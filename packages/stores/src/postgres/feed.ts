import { type FeedItem, type FeedPage, turnItems } from '@lexigram/ai-session/store';
import type { RunSql } from './client.ts';
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
    read(
      `SELECT j.revision, j.type, j.at, j.data FROM "${schema}".ai_journal j
       WHERE j.session = (SELECT key FROM "${schema}".ai_sessions WHERE session_id = $1)
         AND j.revision > $2::bigint ORDER BY j.revision, j.part LIMIT $3::bigint`,
      sessionId,
      after,
      most,
    ),
  ]);
  const items = [
    ...turns.flatMap((row) => turnItems(toTurn(row, sessionId))),
    ...entries.map((row) => row as unknown as FeedItem),
  ].sort((a, b) => a.revision - b.revision);
  // A change is never cut in two: what belongs to the last one comes with it.
  const last = items[limit - 1]?.revision ?? Number.POSITIVE_INFINITY;
  return items.filter((item) => item.revision <= last);
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
    SELECT ${turnColumns} FROM halves h CROSS JOIN LATERAL (SELECT * FROM "${schema}".ai_turns
      WHERE session = h.session AND timeline = h.timeline AND seq >= h.low
      ORDER BY seq LIMIT $3::bigint) t
    WHERE h.low = h.high ORDER BY t.revision, t.seq LIMIT $3::bigint`;
}
