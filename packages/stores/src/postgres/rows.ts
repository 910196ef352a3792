import {
  type DueItem,
  parseTimelineId,
  type RecordRow,
  type StoredSession,
  type TurnRow,
  type VariablesEntry,
} from '@lexigram/ai-session/store';
import type { SqlRow } from './client.ts';

type SessionField = Exclude<keyof StoredSession, 'key'>;

/** The columns of a session, and their types. */
export const sessionColumns: readonly (readonly [SessionField, column: string, type: string])[] = [
  ['sessionId', 'session_id', 'text'],
  ['tenantId', 'tenant_id', 'text'],
  ['userId', 'user_id', 'text'],
  ['status', 'status', 'text'],
  ['timeline', 'timeline', 'integer'],
  ['seq', 'seq', 'integer'],
  ['turnId', 'turn_id', 'text'],
  ['tokens', 'tokens', 'bigint'],
  ['cost', 'cost', 'bigint'],
  ['lifetimeTurns', 'lifetime_turns', 'bigint'],
  ['lifetimeTokens', 'lifetime_tokens', 'bigint'],
  ['lifetimeCost', 'lifetime_cost', 'bigint'],
  ['variablesTimeline', 'variables_timeline', 'text'],
  ['variablesPosition', 'variables_position', 'bigint'],
  ['variablesRevision', 'variables_revision', 'bigint'],
  ['variablesDepth', 'variables_depth', 'integer'],
  ['revision', 'revision', 'bigint'],
  ['moves', 'moves', 'bigint'],
  ['timelines', 'timelines', 'integer'],
  ['checkpoints', 'checkpoints', 'bigint'],
  ['checkpointsHeld', 'checkpoints_held', 'bigint'],
  ['checkpointFloor', 'checkpoint_floor', 'bigint'],
  ['parentSessionId', 'parent_session_id', 'text'],
  ['branchName', 'branch_name', 'text'],
  ['forkSeq', 'fork_seq', 'integer'],
  ['createdAt', 'created_at', 'bigint'],
  ['updatedAt', 'updated_at', 'bigint'],
  ['expiresAt', 'expires_at', 'bigint'],
  ['closedReason', 'closed_reason', 'text'],
  ['dueAt', 'due_at', 'bigint'],
];

/** A session's row under the names of `StoredSession`, from the table `s`. */
export const selectedSession: string = [
  's.key',
  ...sessionColumns.map(([field, column]) => `s.${column} AS "${field}"`),
].join(', ');

export function toSession(row: SqlRow): StoredSession {
  const session: Record<string, unknown> = { key: row.key };
  for (const [field] of sessionColumns) session[field] = row[field];
  return session as unknown as StoredSession;
}

/** The server's clock, in milliseconds. */
export const serverNow = "(date_part('epoch', clock_timestamp()) * 1000)::bigint";

/** Turns of one session, from the table `t`; the id of their timeline is made from its number. */
export const turnColumns =
  't.timeline, t.seq, t.turn_id AS "turnId", t.body, t.at, t.revision, t.tokens, t.cost, t.origin, t.checkpoint';

export function toTurn(row: SqlRow, sessionId: string): TurnRow {
  const origin = row.origin as string;
  return {
    timelineId: `${sessionId}.${row.timeline as number}`,
    seq: row.seq as number,
    turnId: row.turnId as string,
    body: row.body as string,
    at: row.at as number,
    revision: (row.revision as number) || null,
    tokens: row.tokens as number,
    cost: row.cost as number,
    origin: origin === '' ? null : (JSON.parse(origin) as TurnRow['origin']),
    checkpoint: (row.checkpoint as number) || null,
  };
}

export function originText(turn: TurnRow): string {
  return turn.origin === null ? '' : JSON.stringify(turn.origin);
}

/** Records, from the table `r`. */
export const recordColumns =
  'r.kind, r.key, r.version, r.value, r.label, r.due_at AS "dueAt", r.created_at AS "createdAt"';

export function toRecord(row: SqlRow): RecordRow {
  const { createdAt, dueAt, key, kind, label, value, version } = row as unknown as RecordRow;
  return { kind, key, version, value, label, dueAt, createdAt };
}

export function toDueRecord(row: SqlRow): DueItem {
  return { due: 'record', sessionId: row.sessionId as string, record: toRecord(row) };
}

export const variablesColumns = 'v.position, v.revision, v.whole, v.value';

export function toVariables(row: SqlRow, timelineId: string): VariablesEntry {
  const { position, revision, value, whole } = row;
  return {
    at: { timelineId, position: position as number, revision: revision as number },
    whole: whole as boolean,
    value: value as string,
  };
}

/** The number of a session's own timeline. */
export function numberOf(timelineId: string): number {
  return parseTimelineId(timelineId).n;
}

/** Seqs are integers of 32 bits; whoever asks for all asks for more. */
export function toInteger(value: number): number {
  return Math.min(value, 2_147_483_647);
}
