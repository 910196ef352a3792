import {
  foldVariables,
  type JournalEntry,
  type MarkRow,
  type Owner,
  parseTimelineId,
  type RecordRow,
  type StoredSession,
  type StoreTransaction,
  type TimelineRow,
  type TurnRow,
  type VariablesEntry,
  type VariablesRow,
  type VariablesVersion,
  variablesInterval,
} from '@lexigram/ai-session/store';
import { timelineColumns, timelineValues, toTimeline } from '../timeline-values.ts';
import { readEnds } from './changes.ts';
import { keptData } from './journal.ts';
import { readMarks } from './marks.ts';
import {
  originText,
  recordColumns,
  type SqlRow,
  sessionColumns,
  toRecord,
  toSession,
  toTurn,
  turnColumns,
} from './rows.ts';
import type { Statements } from './statements.ts';
import { Usage, UsageBehind } from './usage.ts';

/** Sessions that are remembered; the one that was there longest goes first. */
const rememberedSessions = 1_000;
/** Owners of whom it is remembered what they have spent. */
const rememberedOwners = 1_000;

/**
 * What a commit does inside a transaction of SQLite. The statements are prepared once; the caller begins and
 * ends the transaction, and sets `now` for it.
 */
export class SqliteTransaction implements StoreTransaction {
  now = 0;
  /** Sessions as they stand in the file, as long as no other connection has written. */
  readonly #sessions = new Map<string, StoredSession>();
  /** Nano-dollars by owner, as long as the sessions are remembered. */
  readonly #spent = new Map<string, number>();
  #dataVersion = -1;
  readonly usage: Usage;
  /** The last id that a turn or an entry of the journal was given; unknown after others have written. */
  #lastId: number | undefined;

  readonly #statements: Statements;
  readonly #sql: Statements['sql'];

  constructor(statements: Statements) {
    this.#statements = statements;
    this.#sql = statements.sql;
    this.usage = new Usage(statements);
  }

  /** Begins: forgets what it knew of the sessions if another connection has written since. */
  begin(now: number): void {
    this.now = now;
    const version = Number(this.#sql('PRAGMA data_version').get()?.data_version);
    if (version !== this.#dataVersion) this.forget();
    this.#dataVersion = version;
  }

  /** Forgets all sessions: after a rollback, and after statements that go past `putSession`. */
  forget(): void {
    this.#sessions.clear();
    this.#spent.clear();
    this.#lastId = undefined;
  }

  #nextId(): number {
    this.#lastId = (this.#lastId ?? readEnds(this.#statements).last) + 1;
    return this.#lastId;
  }

  /** Remembers the last id in the file, before rows are deleted that may bear it: ids are never given again. */
  keepLastId(): void {
    this.#lastId ??= readEnds(this.#statements).last;
    this.#sql('UPDATE ai_positions SET last = ?1 WHERE last < ?1').run(this.#lastId);
  }

  session(sessionId: string): StoredSession | undefined {
    const known = this.#sessions.get(sessionId);
    if (known !== undefined) return known;
    const row = this.#sql(`SELECT ${sessionColumns} FROM ai_current s WHERE s.session_id = ?`).get(
      sessionId,
    );
    if (row === undefined) return undefined;
    const session = toSession(row);
    this.#remember(session);
    return session;
  }

  #remember(session: StoredSession): void {
    if (this.#sessions.size >= rememberedSessions) {
      this.#sessions.delete(this.#sessions.keys().next().value as string);
    }
    this.#sessions.set(session.sessionId, session);
  }

  addSession(s: StoredSession): StoredSession {
    const { lastInsertRowid } = this.#sql(
      `INSERT INTO ai_sessions (session_id, tenant_id, user_id, status, timeline, seq, turn_id, tokens, cost,
         lifetime_turns, lifetime_tokens, lifetime_cost, variables_timeline, variables_position,
         variables_revision, variables_depth, revision, moves, timelines, checkpoints,
         checkpoints_held, checkpoint_floor, parent_session_id, branch_name, fork_seq, created_at, updated_at, expires_at, ttl, closed_reason, due_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      s.sessionId,
      s.tenantId,
      s.userId,
      s.status,
      s.timeline,
      s.seq,
      s.turnId,
      s.tokens,
      s.cost,
      s.lifetimeTurns,
      s.lifetimeTokens,
      s.lifetimeCost,
      s.variablesTimeline,
      s.variablesPosition,
      s.variablesRevision,
      s.variablesDepth,
      s.revision,
      s.moves,
      s.timelines,
      s.checkpoints,
      s.checkpointsHeld,
      s.checkpointFloor,
      s.parentSessionId,
      s.branchName,
      s.forkSeq,
      s.createdAt,
      s.updatedAt,
      s.expiresAt,
      ttlOf(s),
      s.closedReason,
      s.dueAt,
    );
    const added = { ...s, key: Number(lastInsertRowid) };
    if (s.lifetimeCost > 0) this.#spent.delete(ownerKey(s));
    this.#remember(added);
    return added;
  }

  putSession(s: StoredSession): void {
    const was = this.#sessions.get(s.sessionId);
    if (this.#spent.size > 0 && was?.lifetimeCost !== s.lifetimeCost) this.#spend(was, s);
    this.#sessions.set(s.sessionId, { ...s });
    if (was !== undefined && (isSame(was, s) || followsFromTurns(was, s))) return;
    this.#sql(
      `UPDATE ai_sessions SET timeline = ?, seq = ?, turn_id = ?, tokens = ?, cost = ?, lifetime_turns = ?,
         lifetime_tokens = ?, lifetime_cost = ?, variables_timeline = ?, variables_position = ?,
         variables_revision = ?, variables_depth = ?, revision = ?, moves = ?, timelines = ?,
         checkpoints = ?, checkpoints_held = ?, checkpoint_floor = ?, updated_at = ?, expires_at = ?, ttl = ?,
         closed_reason = ? WHERE key = ?`,
    ).run(
      s.timeline,
      s.seq,
      s.turnId,
      s.tokens,
      s.cost,
      s.lifetimeTurns,
      s.lifetimeTokens,
      s.lifetimeCost,
      s.variablesTimeline,
      s.variablesPosition,
      s.variablesRevision,
      s.variablesDepth,
      s.revision,
      s.moves,
      s.timelines,
      s.checkpoints,
      s.checkpointsHeld,
      s.checkpointFloor,
      s.updatedAt,
      s.expiresAt,
      ttlOf(s),
      s.closedReason,
      s.key,
    );
    // Columns that indexes cover are named only if they changed: naming them rewrites the indexes.
    if (was === undefined || was.status !== s.status || was.dueAt !== s.dueAt) {
      this.#sql('UPDATE ai_sessions SET status = ?, due_at = ? WHERE key = ?').run(
        s.status,
        s.dueAt,
        s.key,
      );
    }
  }

  countOpen(owner: Owner, limit: number): number {
    const row = this.#sql(
      `SELECT count(*) AS open FROM (
         SELECT 1 FROM ai_current WHERE user_id = ? AND tenant_id IS ?
           AND status IN ('active', 'suspended') AND parent_session_id IS NULL
           AND (expires_at IS NULL OR expires_at > ?) LIMIT ?)`,
    ).get(owner.userId, owner.tenantId, this.now, limit);
    return Number(row?.open ?? 0);
  }

  /** @throws UsageBehind if too many turns were not rolled up yet */
  spent(owner: Owner): number {
    const key = ownerKey(owner);
    const known = this.#spent.get(key);
    if (known !== undefined) return known;
    if (!this.usage.settle()) throw new UsageBehind();
    if (this.#spent.size >= rememberedOwners) this.#spent.clear();
    const spent = this.usage.spent(owner);
    this.#spent.set(key, spent);
    return spent;
  }

  /** Moves along what an owner has spent, or forgets it if that cannot be told. */
  #spend(was: StoredSession | undefined, is: StoredSession): void {
    const key = ownerKey(is);
    const spent = this.#spent.get(key);
    if (spent === undefined) return;
    // What was written out of sight may be rolled up already when it comes into sight.
    if (was === undefined || was.timeline !== is.timeline) this.#spent.delete(key);
    else this.#spent.set(key, spent + is.lifetimeCost - was.lifetimeCost);
  }

  timeline(session: StoredSession, timelineId: string): TimelineRow | undefined {
    const row = this.#sql(
      `SELECT ${timelineColumns} FROM ai_timelines WHERE session = ? AND n = ?`,
    ).get(session.key, parseTimelineId(timelineId).n);
    return row === undefined ? undefined : toTimeline(row, session.sessionId, timelineId);
  }

  addTimeline(session: StoredSession, timeline: TimelineRow): void {
    this.#sql(
      `INSERT INTO ai_timelines (session, n, ${timelineColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      session.key,
      parseTimelineId(timeline.timelineId).n,
      ...timelineValues(timeline, session.sessionId),
    );
  }

  moveTimeline(
    session: StoredSession,
    timeline: TimelineRow,
    by: { readonly seq: number; readonly tokens: number; readonly cost: number },
  ): void {
    const { n } = parseTimelineId(timeline.timelineId);
    this.#sql(
      `UPDATE ai_timelines SET (${timelineColumns}) = (?, ?, ?, ?, ?, ?) WHERE session = ? AND n = ?`,
    ).run(...timelineValues(timeline, session.sessionId), session.key, n);
    if (by.seq === 0 && by.tokens === 0 && by.cost === 0) return;
    // By way of negative seqs, so that on the way no turn takes the place of another.
    this.#sql(
      `UPDATE ai_turns SET seq = -(seq + ?), tokens = tokens + ?, cost = cost + ?
       WHERE session = ? AND timeline = ?`,
    ).run(by.seq, by.tokens, by.cost, session.key, n);
    this.#sql('UPDATE ai_turns SET seq = -seq WHERE session = ? AND timeline = ?').run(
      session.key,
      n,
    );
  }

  ownTurn(session: StoredSession, turnId: string): TurnRow | undefined {
    const row = this.#sql(
      `SELECT ${turnColumns} FROM ai_turns t WHERE session = ? AND turn_id = ? AND copy = 0`,
    ).get(session.key, turnId);
    return row === undefined ? undefined : toTurn(row, session.sessionId);
  }

  addTurn(session: StoredSession, turn: TurnRow): boolean {
    const timeline = Number(turn.timelineId.slice(session.sessionId.length + 1));
    const id = this.#nextId();
    const { changes } = this.#sql(
      `INSERT INTO ai_turns (id, session, timeline, seq, turn_id, copy, body, at, stored_at, revision, tokens, cost,
         origin, checkpoint)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session, turn_id, copy) DO NOTHING`,
    ).run(
      id,
      session.key,
      timeline,
      turn.seq,
      turn.turnId,
      // Each copy has a number of its own: several of one id may stand on one timeline.
      turn.origin === null ? 0 : id,
      turn.body,
      turn.at,
      turn.at === this.now ? null : this.now,
      turn.revision,
      turn.tokens,
      turn.cost,
      originText(turn),
      turn.checkpoint,
    );
    return changes === 1;
  }

  lastTurn(session: StoredSession, timelineId: string): TurnRow | undefined {
    const row = this.#sql(
      `SELECT ${turnColumns} FROM ai_turns t WHERE session = ? AND timeline = ?
       ORDER BY seq DESC LIMIT 1`,
    ).get(session.key, parseTimelineId(timelineId).n);
    return row === undefined ? undefined : toTurn(row, session.sessionId);
  }

  variables(at: VariablesVersion): VariablesRow | undefined {
    const { n, sessionId } = parseTimelineId(at.timelineId);
    const rows = this.#sql(
      `SELECT position, revision, whole, value FROM ai_variables
       WHERE session = (SELECT key FROM ai_sessions WHERE session_id = ?) AND timeline = ?
         AND (position, revision) <= (?, ?)
       ORDER BY position DESC, revision DESC LIMIT ?`,
    );
    const newestFirst: VariablesEntry[] = [];
    for (const row of rows.iterate(sessionId, n, at.position, at.revision, variablesInterval + 1)) {
      const { position, revision, value, whole } = row as SqlRow;
      newestFirst.push({
        at: {
          timelineId: at.timelineId,
          position: position as number,
          revision: revision as number,
        },
        whole: whole === 1,
        value: value as string,
      });
      if (whole === 1) break;
    }
    const newest = newestFirst[0];
    return newest === undefined ? undefined : { at: newest.at, json: foldVariables(newestFirst) };
  }

  addVariables(session: StoredSession, entry: VariablesEntry): void {
    this.#sql(
      `INSERT INTO ai_variables (session, timeline, position, revision, whole, value)
       VALUES (?, ?, ?, ?, ?, ?)`,
    ).run(
      session.key,
      parseTimelineId(entry.at.timelineId).n,
      entry.at.position,
      entry.at.revision,
      entry.whole ? 1 : 0,
      entry.value,
    );
  }

  record(session: StoredSession, kind: string, key: string): RecordRow | undefined {
    const row = this.#sql(
      `SELECT ${recordColumns} FROM ai_records WHERE session = ? AND kind = ? AND key = ?`,
    ).get(session.key, kind, key);
    return row === undefined ? undefined : toRecord(row);
  }

  labelled(session: StoredSession, kind: string, label: string): RecordRow | undefined {
    const row = this.#sql(
      `SELECT ${recordColumns} FROM ai_records WHERE session = ? AND kind = ? AND label = ?`,
    ).get(session.key, kind, label);
    return row === undefined ? undefined : toRecord(row);
  }

  mark(session: StoredSession, n: number): MarkRow | undefined {
    return readMarks(this.#statements, session, { from: n - 1, to: n + 1 }, { limit: 1 })[0];
  }

  oldestMark(session: StoredSession): number | undefined {
    const row = this.#sql(
      'SELECT min(checkpoint) AS n FROM ai_turns WHERE session = ? AND checkpoint > ?',
    ).get(session.key, session.checkpointFloor);
    return (row?.n as number | null | undefined) ?? undefined;
  }

  clearMark(session: StoredSession, n: number): void {
    this.#sql('UPDATE ai_turns SET checkpoint = NULL WHERE session = ? AND checkpoint = ?').run(
      session.key,
      n,
    );
  }

  oldestCheckpoint(session: StoredSession): string | undefined {
    const row = this.#sql(
      `SELECT key FROM ai_records WHERE session = ? AND kind = 'checkpoint' AND label IS NULL
       ORDER BY key LIMIT 1`,
    ).get(session.key);
    return row?.key as string | undefined;
  }

  countRecords(session: StoredSession, kind: string): number {
    const row = this.#sql(
      'SELECT count(*) AS records FROM ai_records WHERE session = ? AND kind = ?',
    ).get(session.key, kind);
    return Number(row?.records ?? 0);
  }

  putRecord(session: StoredSession, record: RecordRow): void {
    this.#sql(
      `INSERT INTO ai_records (session, kind, key, version, value, label, due_at, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (session, kind, key) DO UPDATE SET version = excluded.version,
         value = excluded.value, label = excluded.label, due_at = excluded.due_at`,
    ).run(
      session.key,
      record.kind,
      record.key,
      record.version,
      record.value,
      record.label,
      record.dueAt,
      record.createdAt,
    );
  }

  deleteRecord(session: StoredSession, kind: string, key: string): void {
    this.#sql('DELETE FROM ai_records WHERE session = ? AND kind = ? AND key = ?').run(
      session.key,
      kind,
      key,
    );
  }

  addJournal(session: StoredSession, entry: JournalEntry): void {
    this.#sql(
      'INSERT INTO ai_journal (id, session, revision, part, type, at, data) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ).run(
      this.#nextId(),
      session.key,
      entry.revision,
      entry.part,
      entry.type,
      entry.at,
      keptData(entry),
    );
  }
}

function ownerKey({ tenantId, userId }: Owner): string {
  // No id has a U+0000 in it, and none is empty.
  return `${tenantId ?? ''}\0${userId}`;
}

function ttlOf(session: StoredSession): number | null {
  return session.expiresAt === null ? null : session.expiresAt - session.updatedAt;
}

/** Whether a commit wrote records only. */
function isSame(was: StoredSession, is: StoredSession): boolean {
  if (was.revision !== is.revision) return false;
  return (Object.keys(is) as (keyof StoredSession)[]).every((column) => was[column] === is[column]);
}

/** Whether a session changed by plain turns alone, so that `ai_current` tells all of it without a new row. */
function followsFromTurns(was: StoredSession, is: StoredSession): boolean {
  return (
    is.seq > was.seq &&
    is.timeline === was.timeline &&
    is.lifetimeTurns - was.lifetimeTurns === is.seq - was.seq &&
    ttlOf(is) === ttlOf(was) &&
    is.variablesRevision === was.variablesRevision &&
    is.variablesTimeline === was.variablesTimeline &&
    is.checkpoints === was.checkpoints &&
    is.checkpointsHeld === was.checkpointsHeld &&
    is.moves === was.moves &&
    is.timelines === was.timelines &&
    is.status === was.status &&
    is.closedReason === was.closedReason &&
    is.dueAt === was.dueAt
  );
}
