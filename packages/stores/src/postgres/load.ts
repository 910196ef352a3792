import {
  type Found,
  foldVariables,
  type LoadedSession,
  type Need,
  type RecordRow,
  type TimelineRow,
  type TurnRow,
  type VariablesRow,
  variablesInterval,
} from '@lexigram/ai-session/store';
import { timelineColumns, toTimeline } from '../timeline-values.ts';
import type { SqlRow } from './client.ts';
import type { Statement } from './connections.ts';
import { bitsOfId, isOneOfOwn } from './id-place.ts';
import { selectMarks, toMark } from './marks.ts';
import {
  numberOf,
  recordColumns,
  selectedSession,
  serverNow,
  toRecord,
  toSession,
  toTurn,
  toVariables,
  turnColumns,
  variablesColumns,
} from './rows.ts';

type NeedOf<K extends keyof Found> = Extract<Need, { readonly need: K }>;

/** Gives a value its place in a statement. */
type Bind = (value: unknown) => string;

/**
 * How one kind of need is read: a column of JSON for all of them at once, and what of it answers each. What is looked
 * for one by one stands behind a LIMIT: as a plain join it might be found by reading all that the session has.
 */
interface NeedReader<K extends keyof Found> {
  select(needs: readonly NeedOf<K>[], bind: Bind, schema: string, now: number | null): string;
  find(rows: readonly SqlRow[], need: NeedOf<K>, sessionId: string): Found[K];
}

const readers: { readonly [K in keyof Found]: NeedReader<K> } = {
  open: {
    select([need], bind, schema, now) {
      const { limit, owner } = need as NeedOf<'open'>;
      const user = bind(owner.userId);
      const tenant = bind(owner.tenantId);
      return `SELECT coalesce((SELECT version FROM "${schema}".ai_owners
          WHERE user_id = ${user}::text AND tenant_id = coalesce(${tenant}::text, '')), 0) AS version,
        (SELECT count(*) FROM (SELECT FROM "${schema}".ai_sessions
          WHERE user_id = ${user}::text AND tenant_id IS NOT DISTINCT FROM ${tenant}::text
            AND status IN ('active', 'suspended') AND parent_session_id IS NULL
            AND (expires_at IS NULL OR expires_at > ${now === null ? serverNow : `${bind(now)}::bigint`})
          LIMIT ${bind(limit)}::bigint) o) AS open`;
    },
    find: ([row]) => ({ open: row?.open as number, version: row?.version as number }),
  },
  spent: {
    select([need], bind, schema) {
      const { owner } = need as NeedOf<'spent'>;
      const user = bind(owner.userId);
      const tenant = bind(owner.tenantId);
      return `SELECT coalesce(max(o.version), 0) AS version, coalesce(max(o.spent_before), 0) +
          (SELECT coalesce(sum(lifetime_cost), 0) FROM "${schema}".ai_sessions
           WHERE user_id = ${user}::text AND tenant_id IS NOT DISTINCT FROM ${tenant}::text) AS spent
        FROM "${schema}".ai_owners o
        WHERE o.user_id = ${user}::text AND o.tenant_id = coalesce(${tenant}::text, '')`;
    },
    find: ([row]) => ({ spent: row?.spent as number, version: row?.version as number }),
  },
  timeline: {
    select: (needs, bind, schema) =>
      `SELECT t.n, ${timelineColumns} FROM "${schema}".ai_timelines t
       WHERE t.session = s.key AND t.n = ANY (${bind(needs.map((it) => numberOf(it.timelineId)))}::integer[])`,
    find(rows, { timelineId }, sessionId): TimelineRow | undefined {
      const row = rows.find(({ n }) => n === numberOf(timelineId));
      return row === undefined ? undefined : toTimeline(row, sessionId, timelineId);
    },
  },
  turn: {
    select(needs, bind, schema) {
      const ids = needs.map((it) => it.turnId);
      const [turnIds, bits] = [`${bind(ids)}::text[]`, `${bind(ids.map(bitsOfId))}::integer[]`];
      return `SELECT ${turnColumns} FROM "${schema}".ai_turns t
        WHERE ${isOneOfOwn('s.key', turnIds, bits)}`;
    },
    find(rows, { turnId }, sessionId): TurnRow | undefined {
      const row = rows.find((it) => it.turnId === turnId);
      return row === undefined ? undefined : toTurn(row, sessionId);
    },
  },
  lastTurn: {
    select: (needs, bind, schema) =>
      `SELECT ${turnColumns} FROM unnest(${bind(needs.map((it) => numberOf(it.timelineId)))}::integer[]) AS k (n)
       CROSS JOIN LATERAL (SELECT * FROM "${schema}".ai_turns WHERE session = s.key AND timeline = k.n
         ORDER BY seq DESC LIMIT 1) t`,
    find(rows, { timelineId }, sessionId): TurnRow | undefined {
      const row = rows.find((it) => it.timeline === numberOf(timelineId));
      return row === undefined ? undefined : toTurn(row, sessionId);
    },
  },
  variables: {
    select(needs, bind, schema) {
      const ids = bind(
        needs.map(({ at }) => at.timelineId.slice(0, at.timelineId.lastIndexOf('.'))),
      );
      const numbers = bind(needs.map(({ at }) => numberOf(at.timelineId)));
      const positions = bind(needs.map(({ at }) => at.position));
      const revisions = bind(needs.map(({ at }) => at.revision));
      const own = needs.map(({ at }) => `${at.timelineId} ${at.position} ${at.revision}`);
      return `SELECT k.id, ${variablesColumns} FROM unnest(${bind(own)}::text[], ${ids}::text[], ${numbers}::integer[],
          ${positions}::bigint[], ${revisions}::bigint[]) AS k (id, session_id, n, position, revision)
        CROSS JOIN LATERAL (SELECT * FROM "${schema}".ai_variables
          WHERE session = (SELECT key FROM "${schema}".ai_sessions WHERE session_id = k.session_id)
            AND timeline = k.n AND (position, revision) <= (k.position, k.revision)
          ORDER BY position DESC, revision DESC LIMIT ${variablesInterval + 1}) v`;
    },
    find(rows, { at }): VariablesRow | undefined {
      const id = `${at.timelineId} ${at.position} ${at.revision}`;
      return newestVariables(
        rows.filter((row) => row.id === id),
        at.timelineId,
      );
    },
  },
  mark: {
    select: (needs, bind, schema) =>
      `${selectMarks(schema)} AND t.session = s.key
         AND t.checkpoint = ANY (${bind(needs.map((it) => it.n))}::integer[])`,
    find(rows, { n }, sessionId) {
      const row = rows.find((it) => it.checkpoint === n);
      return row === undefined ? undefined : toMark(row, sessionId);
    },
  },
  marks: {
    select: ([need], bind, schema) =>
      `SELECT t.checkpoint AS n FROM "${schema}".ai_turns t WHERE t.session = s.key AND t.checkpoint > 0
         AND t.checkpoint > ${bind(need?.above)}::integer ORDER BY t.checkpoint LIMIT ${bind(need?.limit)}::bigint`,
    find: (rows) => rows.map(({ n }) => n as number),
  },
  record: {
    select: (needs, bind, schema) =>
      `SELECT ${recordColumns} FROM unnest(${bind(needs.map((it) => it.kind))}::text[],
         ${bind(needs.map((it) => it.key))}::text[]) AS k (kind, key)
       CROSS JOIN LATERAL (SELECT * FROM "${schema}".ai_records
         WHERE session = s.key AND kind = k.kind AND key = k.key LIMIT 1) r`,
    find(rows, { key, kind }): RecordRow | undefined {
      const row = rows.find((it) => it.kind === kind && it.key === key);
      return row === undefined ? undefined : toRecord(row);
    },
  },
  labelled: {
    select: (needs, bind, schema) =>
      `SELECT ${recordColumns} FROM unnest(${bind(needs.map((it) => it.kind))}::text[],
         ${bind(needs.map((it) => it.label))}::text[]) AS k (kind, label)
       CROSS JOIN LATERAL (SELECT * FROM "${schema}".ai_records
         WHERE session = s.key AND kind = k.kind AND label = k.label LIMIT 1) r`,
    find(rows, { kind, label }): RecordRow | undefined {
      const row = rows.find((it) => it.kind === kind && it.label === label);
      return row === undefined ? undefined : toRecord(row);
    },
  },
  oldest: {
    select: ([need], bind, schema) =>
      `SELECT r.key FROM "${schema}".ai_records r WHERE r.session = s.key AND r.kind = 'checkpoint'
         AND r.label IS NULL ORDER BY r.key LIMIT ${bind(need?.limit)}::bigint`,
    find: (rows) => rows.map(({ key }) => key as string),
  },
  count: {
    select: (needs, bind, schema) =>
      `SELECT k.kind, (SELECT count(*) FROM "${schema}".ai_records r
         WHERE r.session = s.key AND r.kind = k.kind) AS count
       FROM unnest(${bind(needs.map((it) => it.kind))}::text[]) AS k (kind)`,
    find: (rows, { kind }) => (rows.find((row) => row.kind === kind)?.count as number) ?? 0,
  },
};

/** The statement that reads a session and all that is needed of it, as of one moment. */
export function loadStatement(
  schema: string,
  sessionId: string,
  needs: readonly Need[],
  /** The time, or null for the server's. */
  now: number | null,
): Statement {
  const values: unknown[] = [];
  const bind: Bind = (value) => `$${values.push(value)}`;
  const id = bind(sessionId);
  const columns = [...kindsOf(needs)].map(([kind, wanted]) => {
    const reader = readers[kind] as NeedReader<keyof Found>;
    const select = reader.select(wanted as readonly never[], bind, schema, now);
    return `, (SELECT json_agg(found) FROM (${select}) found) AS "need_${kind}"`;
  });
  const text = `SELECT ${selectedSession}, s.version, s.tableoid::bigint AS tables, ${serverNow} AS clock${columns.join('')}
    FROM (SELECT 1) AS one LEFT JOIN "${schema}".ai_sessions s ON s.session_id = ${id}`;
  return { text, values };
}

/** What the statement read. */
export function toLoaded(row: SqlRow, sessionId: string, needs: readonly Need[]): LoadedSession {
  const parsed = new Map<string, readonly SqlRow[]>();
  for (const [kind] of kindsOf(needs)) {
    parsed.set(kind, JSON.parse((row[`need_${kind}`] as string | null) ?? '[]') as SqlRow[]);
  }
  return {
    row: row.key === null ? undefined : toSession(row),
    version: (row.version as number | null) ?? 0,
    found: needs.map((need) => {
      const reader = readers[need.need] as NeedReader<keyof Found>;
      return reader.find(parsed.get(need.need) ?? [], need as never, sessionId);
    }),
  };
}

/** Needs by kind, so that one column answers all of a kind. */
function kindsOf(needs: readonly Need[]): ReadonlyMap<keyof Found, readonly Need[]> {
  return Map.groupBy(needs, ({ need }) => need);
}

/** Variables from their newest versions, in any order; undefined if there are none. */
export function newestVariables(
  rows: readonly SqlRow[],
  timelineId: string,
): VariablesRow | undefined {
  const newestFirst = rows
    .map((row) => toVariables(row, timelineId))
    .sort((a, b) => b.at.position - a.at.position || b.at.revision - a.at.revision);
  const newest = newestFirst[0];
  return newest === undefined ? undefined : { at: newest.at, json: foldVariables(newestFirst) };
}
