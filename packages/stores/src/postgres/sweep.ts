import {
  type DueItem,
  type DuePage,
  deletedBy,
  type EraseRequest,
  type EraseResult,
  isVisible,
  type KeptTimeline,
  meetsGuard,
  type SessionHead,
  type StagedTimeline,
  type StoredSession,
  statusAt,
  toSessionHead,
} from '@lexigram/ai-session/store';
import type { RunSql, SqlRow } from './client.ts';
import {
  numberOf,
  recordColumns,
  selectedSession,
  toDueRecord,
  toInteger,
  toRecord,
  toSession,
} from './rows.ts';
import type { Usage } from './usage.ts';

const notFound: EraseResult = { found: false, done: true, parent: null, buried: null };

/** What deletes: the erasing of sessions, and the sweep's rows. */
export class Sweep {
  readonly #schema: string;
  readonly #usage: Usage;

  constructor(schema: string, usage: Usage) {
    this.#schema = schema;
    this.#usage = usage;
  }

  #table(name: string): string {
    return `"${this.#schema}".ai_${name}`;
  }

  /** Must run inside one transaction. No write in flight goes past the lock that it takes first. */
  async erase(
    run: RunSql,
    now: () => number,
    sessionId: string,
    request: EraseRequest,
  ): Promise<EraseResult> {
    const [row] = await run(
      `SELECT ${selectedSession} FROM ${this.#table('sessions')} s WHERE s.session_id = $1 FOR UPDATE`,
      sessionId,
    );
    if (row === undefined) return notFound;
    const session = toSession(row);
    if (request.staged !== undefined) {
      return this.#eraseStaged(run, now(), session, request.staged, request);
    }
    let buried: SessionHead | null = null;
    if (session.status !== 'deleted') {
      if (!isVisible(session, request.owner)) return notFound;
      buried = await this.#bury(run, now(), session, request);
    }
    const parent = session.parentSessionId;
    if (request.keep === undefined) return { found: true, done: false, parent, buried };
    const done = await this.#shrink(run, session, request.keep, request.limit);
    if (done) {
      await run(
        `UPDATE ${this.#table('sessions')} SET due_at = NULL, version = version + 1 WHERE key = $1`,
        session.key,
      );
    }
    return { found: true, done, parent, buried };
  }

  /** Leaves a tombstone: nothing of what was said or noted but what branches may hold. */
  async #bury(
    run: RunSql,
    now: number,
    session: StoredSession,
    { operation }: EraseRequest,
  ): Promise<SessionHead> {
    const { key } = session;
    const revision = session.revision + 1;
    const head = toSessionHead({ ...session, revision, updatedAt: now }, now);
    await run(
      `UPDATE ${this.#table('sessions')} SET status = 'deleted', revision = $2::bigint,
         updated_at = $3::bigint, due_at = $3::bigint, version = version + 1 WHERE key = $1`,
      key,
      revision,
      now,
    );
    await run(
      `DELETE FROM ${this.#table('records')}
       WHERE session = $1 AND kind NOT IN ('branch', 'hold', 'held')`,
      key,
    );
    await run(`DELETE FROM ${this.#table('journal')} WHERE session = $1`, key);
    await run(
      `INSERT INTO ${this.#table('journal')} (session, revision, part, type, at, position)
       VALUES ($1, $2, 0, 'deleted', $3,
         (SELECT base FROM ${this.#table('positions')}) + pg_current_xact_id()::text::bigint)`,
      key,
      revision,
      now,
    );
    if (operation !== undefined) {
      const record = deletedBy(operation, now);
      await run(
        `INSERT INTO ${this.#table('records')} (session, kind, key, version, value, label, due_at, created_at)
         VALUES ($1, $2, $3, $4, $5, NULL, $6, $7)`,
        key,
        record.kind,
        record.key,
        record.version,
        record.value,
        record.dueAt,
        record.createdAt,
      );
    }
    return head;
  }

  async #eraseStaged(
    run: RunSql,
    now: number,
    session: StoredSession,
    { guard, timelineId }: StagedTimeline,
    { limit, owner }: EraseRequest,
  ): Promise<EraseResult> {
    const { key } = session;
    const n = numberOf(timelineId);
    const [row] = await run(
      `SELECT ${recordColumns} FROM ${this.#table('records')} r
       WHERE r.session = $1 AND r.kind = $2 AND r.key = $3`,
      key,
      guard.kind,
      guard.key,
    );
    const record = row === undefined ? undefined : toRecord(row);
    if (!isVisible(session, owner) || n === session.timeline) return notFound;
    if (!meetsGuard(record, guard, now)) return notFound;
    await run(`UPDATE ${this.#table('sessions')} SET version = version + 1 WHERE key = $1`, key);
    const dropped = await this.#dropTurns(run, session, n, 0, limit);
    if (dropped >= limit) return { ...notFound, found: true, done: false };
    await run(
      `DELETE FROM ${this.#table('variables')} WHERE session = $1 AND timeline = $2`,
      key,
      n,
    );
    await run(`DELETE FROM ${this.#table('timelines')} WHERE session = $1 AND n = $2`, key, n);
    await run(
      `DELETE FROM ${this.#table('records')} WHERE session = $1 AND kind = $2 AND key = $3`,
      key,
      guard.kind,
      guard.key,
    );
    return { ...notFound, found: true };
  }

  /** Deletes the last `limit` turns after `seq`, whose usage stays; how many they were. */
  async #dropTurns(
    run: RunSql,
    { key, tenantId, userId }: StoredSession,
    n: number,
    after: number,
    limit: number,
  ): Promise<number> {
    const until = await this.#usage.lock(run);
    const rows = await run(
      `DELETE FROM ${this.#table('turns')} WHERE session = $1 AND timeline = $2 AND seq IN
         (SELECT seq FROM ${this.#table('turns')} WHERE session = $1 AND timeline = $2 AND seq > $3
          ORDER BY seq DESC LIMIT $4)
       RETURNING position, at, origin, CASE WHEN position > $5::bigint THEN body END AS body`,
      key,
      n,
      toInteger(after),
      limit,
      until,
    );
    const newer = rows.filter(({ body }) => body !== null);
    await this.#usage.add(
      run,
      newer.map((row) => ({ ...row, tenantId, userId })),
    );
    return rows.length;
  }

  async #shrink(
    run: RunSql,
    session: StoredSession,
    keep: readonly KeptTimeline[],
    limit: number,
  ): Promise<boolean> {
    const { key } = session;
    const kept = new Map(keep.map((timeline) => [numberOf(timeline.timelineId), timeline]));
    const numbers = await run(
      `SELECT n FROM ${this.#table('timelines')} WHERE session = $1 ORDER BY n`,
      key,
    );
    let left = limit;
    for (const row of numbers) {
      const n = row.n as number;
      const reach = kept.get(n);
      left -= await this.#dropTurns(run, session, n, reach?.seq ?? 0, left);
      if (left <= 0) return false;
      const version = reach?.variables ?? { position: -1, revision: 0 };
      await run(
        `DELETE FROM ${this.#table('variables')}
         WHERE session = $1 AND timeline = $2 AND (position, revision) > ($3::bigint, $4::bigint)`,
        key,
        n,
        version.position,
        version.revision,
      );
      if (reach === undefined) {
        await run(`DELETE FROM ${this.#table('timelines')} WHERE session = $1 AND n = $2`, key, n);
      }
    }
    return true;
  }

  async due(run: RunSql, now: number, { limit }: DuePage): Promise<readonly DueItem[]> {
    const items = await this.#dueSessions(run, now, limit);
    const records = await run(
      `SELECT s.session_id AS "sessionId", ${recordColumns} FROM ${this.#table('records')} r
       JOIN ${this.#table('sessions')} s ON s.key = r.session
       WHERE r.due_at <= $1::bigint ORDER BY r.due_at LIMIT $2::bigint`,
      now,
      Math.max(0, limit - items.length),
    );
    return [...items, ...records.map(toDueRecord)];
  }

  async #dueSessions(run: RunSql, now: number, limit: number): Promise<readonly DueItem[]> {
    for (;;) {
      const items: DueItem[] = [];
      const touched: number[] = [];
      const rows = await run(
        `SELECT ${selectedSession} FROM ${this.#table('sessions')} s WHERE s.due_at <= $1::bigint
         ORDER BY s.due_at LIMIT $2::bigint`,
        now,
        limit,
      );
      for (const row of rows) {
        const session = toSession(row);
        const { sessionId } = session;
        if (session.status === 'deleted') items.push({ due: 'erase', sessionId });
        else if (statusAt(session, now) === 'expired') items.push({ due: 'expiry', sessionId });
        else touched.push(session.key);
      }
      if (touched.length > 0) {
        // They changed since: their time is not up yet.
        await run(
          `UPDATE ${this.#table('sessions')} SET due_at = expires_at, version = version + 1
           WHERE key = ANY ($1::bigint[]) AND due_at <= $2::bigint AND status IN ('active', 'suspended')
             AND (expires_at IS NULL OR expires_at > $2::bigint)`,
          touched,
          now,
        );
      }
      // A page of none but those says nothing about what comes behind it.
      if (items.length > 0 || rows.length < limit) return items;
    }
  }

  async collect(run: RunSql, now: number, before: number, limit: number): Promise<number> {
    const left = (): number => Math.max(0, limit - dropped);
    const count = ([row]: readonly SqlRow[]): number => row?.dropped as number;
    let dropped = count(
      await run(
        `WITH gone AS (DELETE FROM ${this.#table('journal')} WHERE (session, revision, part) IN
             (SELECT session, revision, part FROM ${this.#table('journal')} WHERE at < $1::bigint
              ORDER BY at LIMIT $2::bigint)
             AND at < $1::bigint RETURNING position),
           noted AS (UPDATE ${this.#table('positions')} SET dropped = (SELECT max(position) FROM gone)
             WHERE dropped < (SELECT max(position) FROM gone))
         SELECT count(*) AS dropped FROM gone`,
        before,
        limit,
      ),
    );
    dropped += count(
      await run(
        `WITH gone AS (DELETE FROM ${this.#table('records')} WHERE (session, kind, key) IN
             (SELECT session, kind, key FROM ${this.#table('records')}
              WHERE kind = 'operation' AND due_at <= $1::bigint LIMIT $2::bigint)
             AND due_at <= $1::bigint RETURNING 1)
         SELECT count(*) AS dropped FROM gone`,
        now,
        left(),
      ),
    );
    dropped += count(
      await run(
        `WITH gone AS (DELETE FROM ${this.#table('sessions')} WHERE key IN
             (SELECT s.key FROM ${this.#table('sessions')} s
              WHERE s.status = 'deleted' AND s.due_at IS NULL AND s.updated_at < $1::bigint
                AND NOT EXISTS (SELECT FROM ${this.#table('timelines')} t WHERE t.session = s.key)
                AND NOT EXISTS (SELECT FROM ${this.#table('records')} r WHERE r.session = s.key)
              LIMIT $2::bigint FOR UPDATE SKIP LOCKED) RETURNING user_id, tenant_id, lifetime_cost),
           kept AS (INSERT INTO ${this.#table('owners')} AS o (user_id, tenant_id, version, spent_before)
             SELECT user_id, coalesce(tenant_id, ''), $3::bigint, sum(lifetime_cost) FROM gone
             GROUP BY 1, 2 HAVING sum(lifetime_cost) > 0 ORDER BY 1, 2
             ON CONFLICT (user_id, tenant_id) DO UPDATE
               SET version = o.version + 1, spent_before = o.spent_before + excluded.spent_before)
         SELECT count(*) AS dropped FROM gone`,
        before,
        left(),
        Math.floor(now) * 1_000,
      ),
    );
    // Owners without a session and without a bill have nothing to keep. A new row starts at a higher version.
    await run(
      `DELETE FROM ${this.#table('owners')} WHERE spent_before = 0 AND version < $1::bigint
         AND (user_id, tenant_id) IN (SELECT o.user_id, o.tenant_id FROM ${this.#table('owners')} o
          WHERE o.spent_before = 0 AND o.version < $1::bigint
            AND NOT EXISTS (SELECT FROM ${this.#table('sessions')} s WHERE s.user_id = o.user_id)
          LIMIT $2::bigint)`,
      before * 1_000,
      limit,
    );
    return dropped;
  }
}
