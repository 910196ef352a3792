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
  type VariablesRow,
  type VariablesVersion,
  variablesInterval,
} from '@lexigram/ai-session/store';
import { timelineColumns, toTimeline } from '../timeline-values.ts';
import { readChanges } from './changes.ts';
import type { RunSql, SqlRow } from './client.ts';
import { readFeed } from './feed.ts';
import { bitsOfId, placeOfId } from './id-place.ts';
import { newestVariables } from './load.ts';
import { selectMarks, toMark } from './marks.ts';
import {
  recordColumns,
  selectedSession,
  serverNow,
  toDueRecord,
  toInteger,
  toRecord,
  toSession,
  toTurn,
  turnColumns,
  variablesColumns,
} from './rows.ts';

/** The reads of the port. Every value of a caller is a bound parameter; texts of SQL are fixed. */
export class Reader {
  readonly #read: RunSql;
  readonly #schema: string;
  readonly #now: () => number;
  readonly #withMetadata: string;
  readonly #keyOf: string;

  constructor(read: RunSql, schema: string, now: () => number) {
    this.#read = read;
    this.#schema = schema;
    this.#now = now;
    this.#keyOf = `(SELECT key FROM "${schema}".ai_sessions WHERE session_id = $1)`;
    this.#withMetadata = `SELECT ${selectedSession}, ${serverNow} AS clock, r.value AS metadata
      FROM "${schema}".ai_sessions s LEFT JOIN "${schema}".ai_records r
        ON r.session = s.key AND r.kind = 'metadata' AND r.key = ''`;
  }

  async session(sessionId: string, owner: Owner | undefined): Promise<SessionRow | null> {
    const [row] = await this.#read(`${this.#withMetadata} WHERE s.session_id = $1`, sessionId);
    if (row === undefined || !isVisible(toSession(row), owner)) return null;
    return this.#toRow(row);
  }

  #toRow(row: SqlRow): SessionRow {
    const metadata = (row.metadata as string | null) ?? '{}';
    return { ...toSessionHead(toSession(row), this.#now()), metadata };
  }

  async timelines(ids: readonly string[]): Promise<readonly (TimelineRow | null)[]> {
    const parsed = ids.map(parseTimelineId);
    const rows = await this.#read(
      `SELECT k.i, ${timelineColumns}
       FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY AS k (session_id, number, i)
       CROSS JOIN LATERAL (SELECT * FROM "${this.#schema}".ai_timelines
         WHERE session = (SELECT key FROM "${this.#schema}".ai_sessions WHERE session_id = k.session_id)
           AND n = k.number LIMIT 1) t`,
      parsed.map(({ sessionId }) => sessionId),
      parsed.map(({ n }) => n),
    );
    const found = new Map(rows.map((row) => [row.i as number, row]));
    return ids.map((id, i) => {
      const row = found.get(i + 1);
      return row === undefined ? null : toTimeline(row, parsed[i]?.sessionId ?? '', id);
    });
  }

  async startingAt(
    sessionId: string,
    { seq, timelineId }: { readonly timelineId: string; readonly seq: number },
    { after = 0, limit }: NumberPage,
  ): Promise<readonly TimelineRow[]> {
    // A session's first timeline is not in the index: it is one row to look at.
    const select = `SELECT n, ${timelineColumns} FROM "${this.#schema}".ai_timelines
      WHERE session = ${this.#keyOf} AND base_seq = $2::integer AND base::json ->> 0 = $3 AND n > $4::integer`;
    const rows = await this.#read(
      `${select} AND n = 1 UNION ALL ${select} AND n > 1 ORDER BY n LIMIT $5::bigint`,
      sessionId,
      seq,
      timelineId,
      after,
      limit,
    );
    return rows.map((row) => toTimeline(row, sessionId, `${sessionId}.${row.n as number}`));
  }

  /** All segments that `limit` turns can come from in one statement; each is read by its index. */
  async turns(segments: readonly Segment[], page: TurnPage): Promise<readonly TurnRow[]> {
    const { limit, order } = page;
    const turns: TurnRow[] = [];
    const ordered = order === 'asc' ? segments : segments.toReversed();
    for (let at = 0; at < ordered.length && turns.length < limit; ) {
      const wanted = limit - turns.length;
      const chosen = choose(ordered.slice(at), wanted);
      turns.push(...(await this.#segments(chosen, { limit: wanted, order })));
      at += chosen.length;
    }
    return turns;
  }

  async #segments(segments: readonly Segment[], page: TurnPage): Promise<readonly TurnRow[]> {
    const order = page.order === 'asc' ? 'ASC' : 'DESC';
    const ids = segments.map(({ timelineId }) => parseTimelineId(timelineId));
    const [only, ...others] = segments;
    if (only !== undefined && others.length === 0) {
      const sessionId = ids[0]?.sessionId ?? '';
      const rows = await this.#read(
        `SELECT ${turnColumns} FROM "${this.#schema}".ai_turns t
         WHERE t.session = ${this.#keyOf} AND t.timeline = $2::integer
           AND t.seq BETWEEN $3::integer AND $4::integer ORDER BY t.seq ${order} LIMIT $5::bigint`,
        sessionId,
        ids[0]?.n,
        toInteger(only.from),
        toInteger(only.to),
        page.limit,
      );
      return rows.map((row) => toTurn(row, sessionId));
    }
    const rows = await this.#read(
      `SELECT g.session_id AS "sessionId", ${turnColumns}
       FROM unnest($1::text[], $2::integer[], $3::integer[], $4::integer[]) AS g (session_id, n, first, last)
       CROSS JOIN LATERAL (SELECT * FROM "${this.#schema}".ai_turns
         WHERE session = (SELECT key FROM "${this.#schema}".ai_sessions WHERE session_id = g.session_id)
           AND timeline = g.n AND seq BETWEEN g.first AND g.last
         ORDER BY seq ${order} LIMIT $5::bigint) t
       ORDER BY t.seq ${order} LIMIT $5::bigint`,
      ids.map(({ sessionId }) => sessionId),
      ids.map(({ n }) => n),
      segments.map(({ from }) => toInteger(from)),
      segments.map(({ to }) => toInteger(to)),
      page.limit,
    );
    return rows.map((row) => toTurn(row, row.sessionId as string));
  }

  async findTurns(turnId: string, sessionIds: readonly string[]): Promise<readonly TurnRow[]> {
    const rows = await this.#read(
      `SELECT k.i, k.session_id AS "sessionId", ${turnColumns}
      FROM unnest($2::text[]) WITH ORDINALITY AS k (session_id, i)
      JOIN "${this.#schema}".ai_sessions s ON s.session_id = k.session_id
      JOIN "${this.#schema}".ai_turns t ON t.turn_id = $1 AND t.id_place = ${placeOfId('s.key', '$3::integer')}
      ORDER BY k.i, t.timeline, t.seq`,
      turnId,
      sessionIds,
      bitsOfId(turnId),
    );
    return rows.map((row) => toTurn(row, row.sessionId as string));
  }

  async variables(at: VariablesVersion): Promise<VariablesRow | null> {
    const { n, sessionId } = parseTimelineId(at.timelineId);
    const rows = await this.#read(
      `SELECT ${variablesColumns} FROM "${this.#schema}".ai_variables v
       WHERE v.session = ${this.#keyOf} AND v.timeline = $2::integer
         AND (v.position, v.revision) <= ($3::bigint, $4::bigint)
       ORDER BY v.position DESC, v.revision DESC LIMIT ${variablesInterval + 1}`,
      sessionId,
      n,
      Math.floor(at.position),
      Number.isInteger(at.position) ? Math.floor(at.revision) : Number.MAX_SAFE_INTEGER,
    );
    return newestVariables(rows, at.timelineId) ?? null;
  }

  async record(sessionId: string, kind: string, key: string): Promise<RecordRow | null> {
    const [row] = await this.#read(
      `SELECT ${recordColumns} FROM "${this.#schema}".ai_records r
       WHERE r.session = ${this.#keyOf} AND r.kind = $2 AND r.key = $3`,
      sessionId,
      kind,
      key,
    );
    if (row !== undefined || kind !== 'checkpoint') return row === undefined ? null : toRecord(row);
    const n = Number(key);
    if (key !== checkpointKey(n)) return null;
    const [mark] = await this.#marks(sessionId, { from: n - 1, to: n + 1 }, { limit: 1 });
    return mark === undefined ? null : markRecord(mark);
  }

  async records(sessionId: string, kind: string, page: KeyPage): Promise<readonly RecordRow[]> {
    const { after, limit, order } = page;
    const rows = await this.#read(
      `SELECT ${recordColumns} FROM "${this.#schema}".ai_records r
       WHERE r.session = ${this.#keyOf} AND r.kind = $2 AND ${
         order === 'desc' ? '($3::text IS NULL OR r.key < $3)' : "r.key > coalesce($3::text, '')"
       } ORDER BY r.key ${order === 'desc' ? 'DESC' : 'ASC'} LIMIT $4::bigint`,
      sessionId,
      kind,
      after ?? null,
      limit,
    );
    const records = rows.map(toRecord);
    if (kind !== 'checkpoint') return records;
    const marks = await this.#marks(sessionId, numbersOf(page, 0), page);
    return mergeCheckpoints(marks, records, page);
  }

  async #marks(
    sessionId: string,
    { from, to }: { readonly from: number; readonly to: number },
    { limit, order }: Pick<KeyPage, 'limit' | 'order'>,
  ) {
    const rows = await this.#read(
      `${selectMarks(this.#schema)}
         AND t.session = (SELECT key FROM "${this.#schema}".ai_sessions
           WHERE session_id = $1 AND status <> 'deleted')
         AND t.checkpoint > $2::integer AND t.checkpoint < $3::integer
         AND t.checkpoint > (SELECT checkpoint_floor FROM "${this.#schema}".ai_sessions WHERE session_id = $1)
       ORDER BY t.checkpoint ${order === 'desc' ? 'DESC' : 'ASC'} LIMIT $4::bigint`,
      sessionId,
      toInteger(from),
      toInteger(to),
      limit,
    );
    return rows.map((row) => toMark(row, sessionId));
  }

  async list(query: ListQuery): Promise<readonly SessionRow[]> {
    const where: string[] = ["s.status <> 'deleted'"];
    const values: unknown[] = [];
    const bind = (value: unknown): string => `$${values.push(value)}`;
    if (query.userId !== undefined) where.push(`s.user_id = ${bind(query.userId)}`);
    if (query.tenantId !== undefined) {
      where.push(`s.tenant_id IS NOT DISTINCT FROM ${bind(query.tenantId)}::text`);
    }
    if (query.status !== undefined) {
      // As of now: one whose time has run out is expired, swept or not.
      where.push(
        `CASE WHEN s.status IN ('active', 'suspended') AND s.expires_at <= ${bind(this.#now())}::bigint
           THEN 'expired' ELSE s.status END = ${bind(query.status)}`,
      );
    }
    if (query.metadata !== undefined && query.metadata.size > 0) {
      const filter = JSON.stringify(Object.fromEntries(query.metadata));
      where.push(`r.value::jsonb @> ${bind(filter)}::jsonb`);
    }
    if (query.after !== undefined) {
      const { createdAt, sessionId } = query.after;
      where.push(
        `(s.created_at, s.session_id) < (${bind(createdAt)}::bigint, ${bind(sessionId)}::text)`,
      );
    }
    const rows = await this.#read(
      `${this.#withMetadata} WHERE ${where.join(' AND ')}
       ORDER BY s.created_at DESC, s.session_id DESC LIMIT ${bind(query.limit)}::bigint`,
      ...values,
    );
    return rows.map((row) => this.#toRow(row));
  }

  /** Records of one kind that are due, in order of their times. */
  async dueRecords({ kind, limit, withinMs = 0 }: DuePage): Promise<readonly DueItem[]> {
    const rows = await this.#read(
      `SELECT s.session_id AS "sessionId", ${recordColumns} FROM "${this.#schema}".ai_records r
       JOIN "${this.#schema}".ai_sessions s ON s.key = r.session
       WHERE r.due_at <= $1::bigint AND r.kind = $2 ORDER BY r.due_at LIMIT $3::bigint`,
      this.#now() + withinMs,
      kind ?? '',
      limit,
    );
    return rows.map(toDueRecord);
  }

  feed(sessionId: string, page: FeedPage): Promise<readonly FeedItem[]> {
    return readFeed(this.#read, this.#schema, sessionId, page);
  }

  changes(page: ChangesPage): Promise<Changes> {
    return readChanges(this.#read, this.#schema, page);
  }
}

/** As many segments, in order, as hold `wanted` turns if they are full: history has no gaps. */
function choose(segments: readonly Segment[], wanted: number): readonly Segment[] {
  let turns = 0;
  const last = segments.findIndex(({ from, to }) => {
    turns += to - from + 1;
    return turns >= wanted;
  });
  return last === -1 ? segments : segments.slice(0, last + 1);
}
