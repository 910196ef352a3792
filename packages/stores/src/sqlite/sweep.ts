import type { DatabaseSync } from 'node:sqlite';
import {
  type DueItem,
  type DuePage,
  deletedBy,
  type EraseRequest,
  type EraseResult,
  isVisible,
  type KeptTimeline,
  meetsGuard,
  parseTimelineId,
  type SessionHead,
  type StagedTimeline,
  type StoredSession,
  statusAt,
  toSessionHead,
} from '@lexigram/ai-session/store';
import { recordColumns, sessionColumns, toDueRecord, toSession } from './rows.ts';
import type { SqliteTransaction } from './transaction.ts';

const notFound: EraseResult = { found: false, done: true, parent: null, buried: null };

/** What deletes: the erasing of sessions, and the sweep's rows. Each runs inside a write transaction. */
export class Sweep {
  readonly #db: DatabaseSync;
  readonly #tx: SqliteTransaction;

  constructor(db: DatabaseSync, tx: SqliteTransaction) {
    this.#db = db;
    this.#tx = tx;
  }

  erase(sessionId: string, request: EraseRequest): EraseResult {
    let session = this.#tx.session(sessionId);
    if (session === undefined) return notFound;
    if (request.staged !== undefined) return this.#eraseStaged(session, request.staged, request);
    let buried: SessionHead | null = null;
    if (session.status !== 'deleted') {
      if (!isVisible(session, request.owner)) return notFound;
      const before = toSessionHead(session, this.#tx.now);
      session = this.#bury(session);
      buried = { ...before, revision: session.revision, updatedAt: session.updatedAt };
      if (request.operation !== undefined) {
        this.#tx.putRecord(session, deletedBy(request.operation, this.#tx.now));
      }
    }
    const parent = session.parentSessionId;
    if (request.keep === undefined) return { found: true, done: false, parent, buried };
    const done = this.#shrink(session, request.keep, request.limit);
    if (done) this.#tx.putSession({ ...session, dueAt: null });

    return { found: true, done, parent, buried };
  }

  #eraseStaged(
    session: StoredSession,
    { guard, timelineId }: StagedTimeline,
    { limit, owner }: EraseRequest,
  ): EraseResult {
    const record = this.#tx.record(session, guard.kind, guard.key);
    const { n } = parseTimelineId(timelineId);
    if (!isVisible(session, owner) || n === session.timeline) return notFound;
    if (!meetsGuard(record, guard, this.#tx.now)) return notFound;
    const { key } = session;
    if (this.#dropTurns(session, { timeline: n, seq: 0, limit }) >= limit)
      return { ...notFound, found: true, done: false };
    for (const table of ['ai_variables', 'ai_timelines'] as const) {
      const column = table === 'ai_timelines' ? 'n' : 'timeline';
      this.#db.prepare(`DELETE FROM ${table} WHERE session = ? AND ${column} = ?`).run(key, n);
    }
    this.#tx.deleteRecord(session, guard.kind, guard.key);
    return { ...notFound, found: true };
  }

  /** Leaves a tombstone: nothing of what was said or noted but what branches may hold. */
  #bury(session: StoredSession): StoredSession {
    const { key } = session;
    const { now } = this.#tx;
    const revision = session.revision + 1;
    const buried = { ...session, status: 'deleted', revision, updatedAt: now, dueAt: now } as const;
    this.#tx.putSession(buried);

    this.#db
      .prepare(
        "DELETE FROM ai_records WHERE session = ? AND kind NOT IN ('branch', 'hold', 'held')",
      )
      .run(key);
    this.#db.prepare('DELETE FROM ai_journal WHERE session = ?').run(key);
    this.#tx.addJournal(session, { revision, part: 0, type: 'deleted', at: now, data: null });
    return buried;
  }

  #shrink(session: StoredSession, keep: readonly KeptTimeline[], limit: number): boolean {
    const { key } = session;
    const kept = new Map(
      keep.map((timeline) => [parseTimelineId(timeline.timelineId).n, timeline]),
    );
    const numbers = this.#db.prepare('SELECT n FROM ai_timelines WHERE session = ?').all(key);
    const dropVariables = this.#db.prepare(
      'DELETE FROM ai_variables WHERE session = ? AND timeline = ? AND (position, revision) > (?, ?)',
    );
    const dropTimeline = this.#db.prepare('DELETE FROM ai_timelines WHERE session = ? AND n = ?');
    let left = limit;
    for (const { n } of numbers as unknown as { n: number }[]) {
      const reach = kept.get(n);
      left -= this.#dropTurns(session, { timeline: n, seq: reach?.seq ?? 0, limit: left });
      if (left <= 0) return false;
      const version = reach?.variables ?? { position: -1, revision: 0 };
      dropVariables.run(key, n, version.position, version.revision);
      if (reach === undefined) dropTimeline.run(key, n);
    }
    return true;
  }

  /** Deletes the last `limit` turns after `seq`, whose usage stays; how many they were. */
  #dropTurns(
    session: StoredSession,
    turns: { readonly timeline: number; readonly seq: number; readonly limit: number },
  ): number {
    const { limit, seq, timeline } = turns;
    this.#tx.usage.settleErased(session, turns);
    this.#tx.keepLastId();
    const { changes } = this.#db
      .prepare(
        `DELETE FROM ai_turns WHERE id IN (SELECT id FROM ai_turns
           WHERE session = ? AND timeline = ? AND seq > ? ORDER BY seq DESC LIMIT ?)`,
      )
      .run(session.key, timeline, seq, limit);
    return Number(changes);
  }

  due({ limit }: DuePage): readonly DueItem[] {
    const { now } = this.#tx;
    const items = this.#dueSessions(limit);
    const records = this.#db
      .prepare(
        `SELECT sessionId, ${recordColumns} FROM
           (SELECT s.session_id AS sessionId, r.* FROM ai_records r JOIN ai_sessions s ON s.key = r.session
            WHERE r.due_at <= ? ORDER BY r.due_at LIMIT ?)`,
      )
      .all(now, Math.max(0, limit - items.length));
    return [...items, ...records.map(toDueRecord)];
  }

  #dueSessions(limit: number): readonly DueItem[] {
    const { now } = this.#tx;
    const statement = this.#db.prepare(
      `SELECT ${sessionColumns} FROM ai_current s WHERE s.due_at <= ? ORDER BY s.due_at LIMIT ?`,
    );
    for (;;) {
      const items: DueItem[] = [];
      const sessions = statement.all(now, limit);
      for (const row of sessions) {
        const session = toSession(row);
        const { sessionId } = session;
        if (session.status === 'deleted') items.push({ due: 'erase', sessionId });
        else if (statusAt(session, now) === 'expired') items.push({ due: 'expiry', sessionId });
        // It changed since: its time is not up yet.
        else this.#tx.putSession({ ...session, dueAt: session.expiresAt });
      }
      // A page of none but those says nothing about what comes behind it.
      if (items.length > 0 || sessions.length < limit) return items;
    }
  }

  collect(before: number, limit: number): number {
    const { now } = this.#tx;
    const drops: readonly [sql: string, time: number][] = [
      [
        `DELETE FROM ai_records WHERE (session, kind, key) IN
           (SELECT session, kind, key FROM ai_records WHERE kind = 'operation' AND due_at <= ? LIMIT ?)`,
        now,
      ],
      [
        `DELETE FROM ai_sessions WHERE key IN (SELECT s.key FROM ai_sessions s
           WHERE s.status = 'deleted' AND s.due_at IS NULL AND s.updated_at < ?
             AND NOT EXISTS (SELECT 1 FROM ai_timelines t WHERE t.session = s.key)
             AND NOT EXISTS (SELECT 1 FROM ai_records r WHERE r.session = s.key) LIMIT ?)`,
        before,
      ],
    ];
    let dropped = this.#dropJournal(before, limit);
    for (const [sql, time] of drops) {
      dropped += Number(this.#db.prepare(sql).run(time, Math.max(0, limit - dropped)).changes);
    }
    this.#tx.forget();
    return dropped;
  }

  /** Drops old entries of the journal, and notes up to where some are missing. */
  #dropJournal(before: number, limit: number): number {
    this.#tx.keepLastId();
    const rows = this.#db
      .prepare(
        `DELETE FROM ai_journal WHERE at < ?1 AND id IN (SELECT id FROM ai_journal ORDER BY id LIMIT ?2)
         RETURNING id`,
      )
      .all(before, limit);
    const last = rows.reduce((most, { id }) => Math.max(most, id as number), 0);
    this.#db.prepare('UPDATE ai_positions SET dropped = ?1 WHERE dropped < ?1').run(last);
    return rows.length;
  }
}
