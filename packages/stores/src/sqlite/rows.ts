import { SessionCorruptDataError } from '@lexigram/ai-session';
import {
  type DueItem,
  type MergedPoint,
  type Point,
  parseTimelineId,
  type RecordRow,
  type StoredSession,
  type TimelineRow,
  type TurnRow,
  type VariablesVersion,
} from '@lexigram/ai-session/store';
import { readLineage, writeLineage } from '../lineage-text.ts';

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

/** The columns of a timeline, in the order of `timelineValues`. */
export const timelineColumns = 'base, lineage, chunks, root, previous, merged';

export function timelineValues(timeline: TimelineRow, sessionId: string): SqlValue[] {
  const own = (id: string): number => Number(id.slice(sessionId.length + 1));
  const chunks = Object.entries(timeline.chunks).map(([level, entries]) => [
    Number(level),
    writeLineage(entries),
  ]);
  return [
    timeline.base === null ? null : writePoint(timeline.base),
    timeline.lineage.length === 0 ? '' : writeLineage(timeline.lineage),
    chunks.length === 0 ? null : JSON.stringify(chunks),
    timeline.root === likelyRoot(timeline.base, sessionId) ? null : timeline.root,
    timeline.previous === null ? null : own(timeline.previous),
    timeline.merged === undefined ? null : JSON.stringify(timeline.merged.map(writeMerged)),
  ];
}

export function toTimeline(row: SqlRow, sessionId: string, timelineId: string): TimelineRow {
  const base = row.base as string | null;
  const chunks = row.chunks as string | null;
  const lineage = row.lineage as string;
  const previous = row.previous as number | null;
  const merged = row.merged as string | null;
  try {
    const point = base === null ? null : readPoint(base);
    return {
      timelineId,
      base: point,
      lineage: lineage === '' ? [] : readLineage(lineage),
      chunks:
        chunks === null
          ? {}
          : Object.fromEntries(
              (JSON.parse(chunks) as [number, string][]).map(([level, text]) => [
                level,
                readLineage(text),
              ]),
            ),
      root: (row.root as string | null) ?? likelyRoot(point, sessionId),
      previous: previous === null ? null : `${sessionId}.${previous}`,
      ...(merged === null
        ? {}
        : { merged: (JSON.parse(merged) as StoredMerged[]).map(readMerged) }),
    };
  } catch (cause) {
    throw new SessionCorruptDataError(`timeline '${timelineId}'`, 'its row is unreadable', {
      cause,
    });
  }
}

/** The root of most timelines, which is not written: the first timeline of the session that the base lies in. */
function likelyRoot(base: Point | null, sessionId: string): string {
  return `${base === null ? sessionId : parseTimelineId(base.timelineId).sessionId}.1`;
}

type StoredMerged = readonly [
  sessionId: string,
  point: string,
  turns: number,
  ...standing: number[],
];

function writeMerged({ point, sessionId, standing, turns }: MergedPoint): StoredMerged {
  return [sessionId, writePoint(point), turns, ...standing];
}

function readMerged([sessionId, point, turns, ...standing]: StoredMerged): MergedPoint {
  return { sessionId, point: readPoint(point), turns, standing };
}

function writePoint(point: Point): string {
  const { cost, seq, timelineId, tokens, turnId, variables } = point;
  const at =
    variables === null ? [] : [variables.timelineId, variables.position, variables.revision];
  return JSON.stringify([timelineId, seq, turnId, tokens, cost, ...at]);
}

function readPoint(text: string): Point {
  const [timelineId, seq, turnId, tokens, cost, ...at] = JSON.parse(text) as [
    string,
    number,
    string | null,
    number,
    number,
    string?,
    number?,
    number?,
  ];
  const variables: VariablesVersion | null =
    at[0] === undefined ? null : { timelineId: at[0], position: at[1] ?? 0, revision: at[2] ?? 0 };
  return { timelineId, seq, turnId, tokens, cost, variables };
}
