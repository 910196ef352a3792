import type { DueItem, RecordRow, StoredSession, TurnRow } from '@lexigram/ai-session/store';

/** What SQLite takes and gives. */
export type SqlValue = null | number | bigint | string | Uint8Array;
export type SqlRow = Record<string, unknown>;

/** A row of `ai_current` under the names of `StoredSession`. */
export const sessionColumns = `
  s.key, s.session_id AS sessionId, s.tenant_id AS tenantId, s.user_id AS userId, s.status, s.timeline,
  s.seq, s.turn_id AS turnId, s.tokens, s.cost, s.lifetime_turns AS lifetimeTurns,
  s.lifetime_tokens AS lifetimeTokens, s.lifetime_cost AS lifetimeCost,
  s.variables_timeline AS variablesTimeline, s.variables_position AS variablesPosition,
  s.variables_revision AS variablesRevision, s.variables_depth AS variablesDepth, s.revision, s.moves,
  s.timelines, s.checkpoints, s.checkpoints_held AS checkpointsHeld,
  s.checkpoint_floor AS checkpointFloor,
  s.parent_session_id AS parentSessionId, s.branch_name AS branchName, s.fork_seq AS forkSeq,
  s.created_at AS createdAt, s.updated_at AS updatedAt, s.expires_at AS expiresAt,
  s.closed_reason AS closedReason, s.due_at AS dueAt`;

/** SQLite's rows are dictionaries without a prototype; a literal is faster to copy and to read. */
export function toSession(row: SqlRow): StoredSession {
  const s = row as unknown as StoredSession;
  return {
    key: s.key,
    sessionId: s.sessionId,
    tenantId: s.tenantId,
    userId: s.userId,
    status: s.status,
    timeline: s.timeline,
    seq: s.seq,
    turnId: s.turnId,
    tokens: s.tokens,
    cost: s.cost,
    lifetimeTurns: s.lifetimeTurns,
    lifetimeTokens: s.lifetimeTokens,
    lifetimeCost: s.lifetimeCost,
    variablesTimeline: s.variablesTimeline,
    variablesPosition: s.variablesPosition,
    variablesRevision: s.variablesRevision,
    variablesDepth: s.variablesDepth,
    revision: s.revision,
    moves: s.moves,
    timelines: s.timelines,
    checkpoints: s.checkpoints,
    checkpointsHeld: s.checkpointsHeld,
    checkpointFloor: s.checkpointFloor,
    parentSessionId: s.parentSessionId,
    branchName: s.branchName,
    forkSeq: s.forkSeq,
    createdAt: s.createdAt,
    updatedAt: s.updatedAt,
    expiresAt: s.expiresAt,
    closedReason: s.closedReason,
    dueAt: s.dueAt,
  };
}

/** Turns of one session; the id of their timeline is made from its number. */
export const turnColumns =
  't.timeline, t.seq, t.turn_id AS turnId, t.body, t.at, t.revision, t.tokens, t.cost, t.origin, t.checkpoint';

export function toTurn(row: SqlRow, sessionId: string): TurnRow {
  const origin = row.origin as string | null;
  return {
    timelineId: `${sessionId}.${row.timeline as number}`,
    seq: row.seq as number,
    turnId: row.turnId as string,
    body: row.body as string,
    at: row.at as number,
    revision: row.revision as number | null,
    tokens: row.tokens as number,
    cost: row.cost as number,
    origin: origin === null ? null : (JSON.parse(origin) as TurnRow['origin']),
    checkpoint: row.checkpoint as number | null,
  };
}

export function originText(turn: TurnRow): string | null {
  return turn.origin === null ? null : JSON.stringify(turn.origin);
}

export const recordColumns =
  'kind, key, version, value, label, due_at AS dueAt, created_at AS createdAt';

export function toRecord(row: SqlRow): RecordRow {
  return row as unknown as RecordRow;
}

export function toDueRecord({ sessionId, ...record }: SqlRow): DueItem {
  return { due: 'record', sessionId: sessionId as string, record: toRecord(record) };
}
