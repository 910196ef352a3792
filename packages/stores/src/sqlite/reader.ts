import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  type FeedItem,
  type FeedPage,
  isVisible,
  type KeyPage,
  type ListQuery,
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
import {
  recordColumns,
  type SqlRow,
  type SqlValue,
  sessionColumns,
  timelineColumns,
  toRecord,
  toSession,
  toTimeline,
  toTurn,
  turnColumns,
} from './rows.ts';

const keyOf = '(SELECT key FROM ai_sessions WHERE session_id = ?)';

const withMetadata = `SELECT ${sessionColumns}, r.value AS metadata FROM ai_current s
  LEFT JOIN ai_records r ON r.session = s.key AND r.kind = 'metadata' AND r.key = ''`;

/** The reads of the port. Every value of a caller is a bound parameter; texts of SQL are fixed. */
export class Reader {
  readonly #db: DatabaseSync;
  readonly #clock: () => number;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync, clock: () => number) {
    this.#db = db;
    this.#clock = clock;
    // Whether a session's metadata has exactly these values at these top-level keys.
    db.function('ai_matches', { deterministic: true }, (metadata, filter) =>
      matches(metadata as string | null, filter as string) ? 1 : 0,
    );
  }

  #sql(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
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

  turns(segments: readonly Segment[], { limit, order }: TurnPage): readonly TurnRow[] {
    const ascending = order === 'asc';
    const statement = this.#sql(
      `SELECT ${turnColumns} FROM ai_turns WHERE session = ${keyOf} AND timeline = ?
         AND seq BETWEEN ? AND ? ORDER BY seq ${ascending ? 'ASC' : 'DESC'} LIMIT ?`,
    );
    const turns: TurnRow[] = [];
    for (const segment of ascending ? segments : segments.toReversed()) {
      if (turns.length >= limit) break;
      const { n, sessionId } = parseTimelineId(segment.timelineId);
      const left = limit - turns.length;
      for (const row of statement.all(sessionId, n, segment.from, segment.to, left)) {
        turns.push(toTurn(row, sessionId));
      }
    }
    return turns;
  }

  findTurns(turnId: string, sessionIds: readonly string[]): readonly TurnRow[] {
    const statement = this.#sql(
      `SELECT ${turnColumns} FROM ai_turns WHERE turn_id = ? AND session = ${keyOf}`,
    );
    return sessionIds.flatMap((id) => statement.all(turnId, id).map((row) => toTurn(row, id)));
  }

  record(sessionId: string, kind: string, key: string): RecordRow | null {
    const row = this.#sql(
      `SELECT ${recordColumns} FROM ai_records WHERE session = ${keyOf} AND kind = ? AND key = ?`,
    ).get(sessionId, kind, key);
    return row === undefined ? null : toRecord(row);
  }

  records(sessionId: string, kind: string, page: KeyPage): readonly RecordRow[] {
    const select = `SELECT ${recordColumns} FROM ai_records WHERE session = ${keyOf} AND kind = ?`;
    const { after, limit, order } = page;
    const rows =
      order === 'desc'
        ? this.#sql(`${select} AND (?3 IS NULL OR key < ?3) ORDER BY key DESC LIMIT ?4`)
        : this.#sql(`${select} AND key > ifnull(?3, '') ORDER BY key LIMIT ?4`);
    return after === undefined && order !== 'desc'
      ? this.#sql(`${select} ORDER BY key LIMIT ?`).all(sessionId, kind, limit).map(toRecord)
      : rows.all(sessionId, kind, after ?? null, limit).map(toRecord);
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
      add('(s.created_at, s.session_id) < (?, ?)', createdAt, sessionId);
    }
    return this.#sql(
      `${withMetadata} WHERE ${where.join(' AND ')}
       ORDER BY s.created_at DESC, s.session_id DESC LIMIT ?`,
    )
      .all(...values, query.limit)
      .map((row) => this.#toRow(row));
  }

  feed(sessionId: string, { after, limit }: FeedPage): readonly FeedItem[] {
    const turns = this.#sql(
      `SELECT ${turnColumns} FROM ai_turns
       WHERE session = (SELECT key FROM ai_sessions WHERE session_id = ? AND status <> 'deleted')
         AND revision > ?
       ORDER BY revision, seq LIMIT ?`,
    )
      .all(sessionId, after, limit)
      .map((row): FeedItem => {
        const turn = toTurn(row, sessionId);
        return { revision: turn.revision ?? 0, type: 'turn', at: turn.at, turn };
      });
    const entries = this.#sql(
      `SELECT revision, type, at, data FROM ai_journal WHERE session = ${keyOf} AND revision > ?
       ORDER BY revision, part LIMIT ?`,
    )
      .all(sessionId, after, limit)
      .map((row) => row as unknown as FeedItem);
    return [...turns, ...entries].sort((a, b) => a.revision - b.revision).slice(0, limit);
  }
}

function matches(metadata: string | null, filter: string): boolean {
  const values = JSON.parse(metadata ?? '{}') as Record<string, unknown>;
  return (JSON.parse(filter) as [string, unknown][]).every(
    ([key, value]) => Object.hasOwn(values, key) && values[key] === value,
  );
}
