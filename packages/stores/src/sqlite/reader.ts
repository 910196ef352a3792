import type { DatabaseSync } from 'node:sqlite';
import {
  type Changes,
  type ChangesPage,
  checkpointKey,
  type DueItem,
  type DuePage,
  type FeedItem,
  type FeedPage,
  isVisible,
  type KeyPage,
  type ListQuery,
  markRecord,
  mergeCheckpoints,
  type NumberPage,
  numbersOf,
  type Owner,
  parseTimelineId,
  type RecordRow,
  type Segment,
  type SessionRow,
  type TimelineRow,
  type TurnPage,
  type TurnRow,
  toSessionHead,
} from '@lexigram/ai-session/store';
import { timelineColumns, toTimeline } from '../timeline-values.ts';
import { readChanges } from './changes.ts';
import { readFeed } from './feed.ts';
import { readMarks, type SessionKey } from './marks.ts';
import {
  recordColumns,
  type SqlRow,
  type SqlValue,
  sessionColumns,
  toDueRecord,
  toRecord,
  toSession,
  toTurn,
  turnColumns,
} from './rows.ts';
import type { Statements } from './statements.ts';

const keyOf = '(SELECT key FROM ai_sessions WHERE session_id = ?)';

const withMetadata = `SELECT ${sessionColumns}, r.value AS metadata FROM ai_current s
  LEFT JOIN ai_records r ON r.session = s.key AND r.kind = 'metadata' AND r.key = ''`;

/** The reads of the port. Every value of a caller is a bound parameter; texts of SQL are fixed. */
export class Reader {
  readonly #statements: Statements;
  readonly #sql: Statements['sql'];
  readonly #clock: () => number;

  constructor(db: DatabaseSync, statements: Statements, clock: () => number) {
    this.#statements = statements;
    this.#sql = statements.sql;
    this.#clock = clock;
    // Whether a session's metadata has exactly these values at these top-level keys.
    db.function('ai_matches', { deterministic: true }, (metadata, filter) =>
      matches(metadata as string | null, filter as string) ? 1 : 0,
    );
  }

  session(sessionId: string, owner: Owner | undefined): SessionRow | null {
    const row = this.#sql(`${withMetadata} WHERE s.session_id = ?`).get(sessionId);
    if (row === undefined || !isVisible(toSession(row), owner)) return null;
    return this.#toRow(row);
  }

  #toRow(row: SqlRow): SessionRow {
    const metadata = (row.metadata as string | null) ?? '{}';
    return { ...toSessionHead(toSession(row), this.#clock()), metadata };
  }

  timelines(ids: readonly string[]): readonly (TimelineRow | null)[] {
    const statement = this.#sql(
      `SELECT ${timelineColumns} FROM ai_timelines WHERE session = ${keyOf} AND n = ?`,
    );
    return ids.map((id) => {
      const { n, sessionId } = parseTimelineId(id);
      const row = statement.get(sessionId, n);
      return row === undefined ? null : toTimeline(row, sessionId, id);
    });
  }

  startingAt(
    sessionId: string,
    { seq, timelineId }: { readonly timelineId: string; readonly seq: number },
    { after = 0, limit }: NumberPage,
  ): readonly TimelineRow[] {
    // A session's first timeline is not in the index: it is one row to look at.
    const at = `session = ?1 AND base ->> 1 = ?2 AND base ->> 0 = ?3 AND n > ?4`;
    return this.#sql(
      `SELECT n, ${timelineColumns} FROM ai_timelines WHERE n = 1 AND ${at}
       UNION ALL SELECT n, ${timelineColumns} FROM ai_timelines WHERE n > 1 AND ${at}
       ORDER BY n LIMIT ?5`,
    )
      .all(this.#keyOf(sessionId), seq, timelineId, after, limit)
      .map((row) => toTimeline(row, sessionId, `${sessionId}.${row.n as number}`));
  }

  turns(segments: readonly Segment[], page: TurnPage): readonly TurnRow[] {
    const ordered = page.order === 'asc' ? segments : segments.toReversed();
    const turns: TurnRow[] = [];
    for (let at = 0; at < ordered.length && turns.length < page.limit; ) {
      const left = { ...page, limit: page.limit - turns.length };
      const read =
        at === ordered.length - 1
          ? { turns: this.#segment(ordered[at] as Segment, left), segments: 1 }
          : this.#segments(ordered.slice(at), left);
      turns.push(...read.turns);
      at += read.segments;
    }
    return turns;
  }

  #segment({ from, timelineId, to }: Segment, { limit, order }: TurnPage): readonly TurnRow[] {
    const { n, sessionId } = parseTimelineId(timelineId);
    return this.#sql(
      `SELECT ${turnColumns} FROM ai_turns t WHERE session = ${keyOf} AND timeline = ?
         AND seq BETWEEN ? AND ? ORDER BY seq ${order === 'asc' ? 'ASC' : 'DESC'} LIMIT ?`,
    )
      .all(sessionId, n, from, to, limit)
      .map((row) => toTurn(row, sessionId));
  }

  /**
   * As many segments in one statement as hold `limit` turns if they are full: a round through the engine costs
   * more than the turn that it reads.
   */
  #segments(
    segments: readonly Segment[],
    { limit, order }: TurnPage,
  ): { readonly turns: readonly TurnRow[]; readonly segments: number } {
    const keys = new Map<string, number>();
    const places: number[] = [];
    let left = limit;
    let count = 0;
    for (const { from, timelineId, to } of segments) {
      if (left <= 0) break;
      count += 1;
      const { n, sessionId } = parseTimelineId(timelineId);
      const key = keys.get(sessionId) ?? this.#keyOf(sessionId);
      keys.set(sessionId, key);

      // History has no gaps, so that a segment's ends tell how many turns it has.
      if (order === 'asc') places.push(key, n, from, Math.min(to, from + left - 1));
      else places.push(key, n, Math.max(from, to - left + 1), to);
      left -= to - from + 1;
    }
    // A few sizes of the statement serve all numbers of segments; what is left over reads nothing.
    let size = 8;
    while (size * 4 < places.length) size *= 2;
    while (places.length < size * 4) places.push(0, 0, 1, 0);
    const sessions = new Map<unknown, string>([...keys].map(([id, key]) => [key, id]));
    const turns = this.#sql(
      `WITH g (session, timeline, first, last) AS (VALUES ${'(?, ?, ?, ?), '.repeat(size - 1)}(?, ?, ?, ?))
       SELECT t.session, ${turnColumns} FROM g CROSS JOIN ai_turns t
         ON t.session = g.session AND t.timeline = g.timeline AND t.seq BETWEEN g.first AND g.last`,
    )
      .all(...places)
      .map((row) => toTurn(row, sessions.get(row.session) as string));
    turns.sort((a, b) => (order === 'asc' ? a.seq - b.seq : b.seq - a.seq));
    return { turns, segments: count };
  }

  /** 0, which no session has, if it is unknown. */
  #keyOf(sessionId: string): number {
    const row = this.#sql('SELECT key FROM ai_sessions WHERE session_id = ?').get(sessionId);
    return Number(row?.key ?? 0);
  }

  findTurns(turnId: string, sessionIds: readonly string[]): readonly TurnRow[] {
    const statement = this.#sql(
      `SELECT ${turnColumns} FROM ai_turns t WHERE session = ${keyOf} AND turn_id = ?`,
    );
    return sessionIds.flatMap((id) => statement.all(id, turnId).map((row) => toTurn(row, id)));
  }

  record(sessionId: string, kind: string, key: string): RecordRow | null {
    const row = this.#sql(
      `SELECT ${recordColumns} FROM ai_records WHERE session = ${keyOf} AND kind = ? AND key = ?`,
    ).get(sessionId, kind, key);
    if (row !== undefined || kind !== 'checkpoint') return row === undefined ? null : toRecord(row);
    const n = Number(key);
    const session = key === checkpointKey(n) ? this.#withCheckpoints(sessionId) : undefined;
    if (session === undefined || n <= session.checkpointFloor) return null;
    const [mark] = readMarks(this.#statements, session, { from: n - 1, to: n + 1 }, { limit: 1 });
    return mark === undefined ? null : markRecord(mark);
  }

  /** A session that is not deleted, with the number up to which its automatic checkpoints are gone. */
  #withCheckpoints(sessionId: string): (SessionKey & { checkpointFloor: number }) | undefined {
    const row = this.#sql(
      "SELECT key, checkpoint_floor AS floor FROM ai_sessions WHERE session_id = ? AND status <> 'deleted'",
    ).get(sessionId);
    if (row === undefined) return undefined;
    return { key: row.key as number, sessionId, checkpointFloor: row.floor as number };
  }

  records(sessionId: string, kind: string, page: KeyPage): readonly RecordRow[] {
    const select = `SELECT ${recordColumns} FROM ai_records WHERE session = ${keyOf} AND kind = ?`;
    const { after, limit, order } = page;
    const rows =
      order === 'desc'
        ? this.#sql(`${select} AND (?3 IS NULL OR key < ?3) ORDER BY key DESC LIMIT ?4`)
        : this.#sql(`${select} AND key > ifnull(?3, '') ORDER BY key LIMIT ?4`);
    const records =
      after === undefined && order !== 'desc'
        ? this.#sql(`${select} ORDER BY key LIMIT ?`).all(sessionId, kind, limit)
        : rows.all(sessionId, kind, after ?? null, limit);
    const session = kind === 'checkpoint' ? this.#withCheckpoints(sessionId) : undefined;
    if (session === undefined) return records.map(toRecord);
    const span = numbersOf(page, session.checkpointFloor);
    const marks = readMarks(this.#statements, session, span, page);
    return mergeCheckpoints(marks, records.map(toRecord), page);
  }

  /** Records of one kind that are due, in order of their times. */
  dueRecords({ kind, limit, withinMs = 0 }: DuePage): readonly DueItem[] {
    return this.#sql(
      `SELECT sessionId, ${recordColumns} FROM
         (SELECT s.session_id AS sessionId, r.* FROM ai_records r JOIN ai_sessions s ON s.key = r.session
          WHERE r.due_at <= ? AND r.kind = ? ORDER BY r.due_at LIMIT ?)`,
    )
      .all(this.#clock() + withinMs, kind ?? '', limit)
      .map(toDueRecord);
  }

  list(query: ListQuery): readonly SessionRow[] {
    const where: string[] = ["s.status <> 'deleted'"];
    const values: SqlValue[] = [];
    const add = (condition: string, ...given: SqlValue[]): void => {
      where.push(condition);
      values.push(...given);
    };
    if (query.userId !== undefined) add('s.user_id = ?', query.userId);
    if (query.tenantId !== undefined) add('s.tenant_id IS ?', query.tenantId);
    if (query.status !== undefined) {
      const now = this.#clock();
      // As of now: one whose time has run out is expired, swept or not.
      add(
        `CASE WHEN s.status IN ('active', 'suspended') AND s.expires_at <= ? THEN 'expired'
           ELSE s.status END = ?`,
        now,
        query.status,
      );
    }
    if (query.metadata !== undefined && query.metadata.size > 0) {
      add('ai_matches(r.value, ?)', JSON.stringify([...query.metadata]));
    }
    if (query.after !== undefined) {
      const { createdAt, sessionId } = query.after;
      // The first condition is for the index, the second for those of the same millisecond.
      add('s.created_at <= ?', createdAt);
      add('(s.created_at, s.session_id) < (?, ?)', createdAt, sessionId);
    }
    return this.#sql(
      `${withMetadata} WHERE ${where.join(' AND ')}
       ORDER BY s.created_at DESC, s.session_id DESC LIMIT ?`,
    )
      .all(...values, query.limit)
      .map((row) => this.#toRow(row));
  }

  feed(sessionId: string, page: FeedPage): readonly FeedItem[] {
    return readFeed(this.#statements, sessionId, page);
  }

  changes(page: ChangesPage): Changes {
    return readChanges(this.#statements, page);
  }
}

function matches(metadata: string | null, filter: string): boolean {
  const values = JSON.parse(metadata ?? '{}') as Record<string, unknown>;
  return (JSON.parse(filter) as [string, unknown][]).every(
    ([key, value]) => Object.hasOwn(values, key) && values[key] === value,
  );
}
