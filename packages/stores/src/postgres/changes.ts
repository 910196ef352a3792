import { type Change, type Changes, type ChangesPage, turnItems } from '@lexigram/ai-session/store';
import type { RunSql, SqlRow } from './client.ts';
import { toTurn, turnColumns } from './rows.ts';

/** Where the changes end. */
export interface Ends {
  /** The last position of which nothing can be missing any more. */
  readonly last: number;
  /** What is written now gets this position or a later one. */
  readonly next: number;
  /** Up to here some may be missing that time has dropped. */
  readonly dropped: number;
  /** Whether more is there, that may still have others come before it. */
  readonly hidden: boolean;
}

/**
 * A transaction's number is its place, and a lower one may commit later: so what is told ends below the oldest one
 * that still runs. Of one session, writes come in the order of their numbers, for each has seen the one before.
 */
export async function readEnds(read: RunSql, schema: string): Promise<Ends> {
  const below = (table: string): string =>
    `(SELECT max(position) FROM "${schema}".${table} WHERE position < horizon)`;
  // The last of all, not whether there is one: that is told by an index, whatever the planner guesses.
  const above = (table: string): string =>
    `coalesce((SELECT max(position) FROM "${schema}".${table}) >= horizon, false)`;
  const [row = {}] = await read(
    `SELECT greatest(${below('ai_turns')}, ${below('ai_journal')}, dropped) AS last, horizon AS next, dropped,
       ${above('ai_turns')} OR ${above('ai_journal')} AS hidden
     FROM (SELECT base + pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon, dropped
       FROM "${schema}".ai_positions) p`,
  );
  return row as unknown as Ends;
}

/** Rows that a page looks at for one user's: so many of others are passed over at most in one go. */
const span = 2_000;
/** How often a page waits for those who were first, and how long each time: they commit within milliseconds. */
const looks = 5;
const lookMs = 4;

/** One page of what happened in all sessions, or in one user's. */
export async function readChanges(
  read: RunSql,
  schema: string,
  page: ChangesPage,
): Promise<Changes> {
  let ends = await readEnds(read, schema);
  const after = page.after === null ? ends.last : Number(page.after);
  for (let look = 1; ends.hidden && after >= ends.last && look <= looks; look++) {
    await new Promise((resolve) => setTimeout(resolve, lookMs * look));
    ends = await readEnds(read, schema);
  }
  const { dropped, hidden, last } = ends;
  if (page.after === null) {
    return { items: [], next: String(last), done: !hidden, reset: false };
  }
  if (!(after >= dropped && after < ends.next)) {
    const next = after < dropped ? dropped : last;
    return { items: [], next: String(next), done: next === last && !hidden, reset: true };
  }
  if (after >= last) return { items: [], next: String(after), done: !hidden, reset: false };
  const ofUser = page.userId !== undefined;
  const to = await cutAfter(read, schema, { after, last, rows: ofUser ? span : page.limit });
  const items = await readItems(read, schema, page, after, to);
  const end = items[page.limit - 1]?.position;
  // What shares one position is never cut in two.
  const cut = end === undefined ? -1 : items.findIndex((it) => Number(it.position) > Number(end));
  if (cut === -1) {
    return { items, next: String(to), done: to === last && !hidden, reset: false };
  }
  return { items: items.slice(0, cut), next: end as string, done: false, reset: false };
}

/** The position of the last of so many rows, or the end. */
async function cutAfter(
  read: RunSql,
  schema: string,
  { after, last, rows }: { readonly after: number; readonly last: number; readonly rows: number },
): Promise<number> {
  const some = (table: string): string =>
    `(SELECT position FROM "${schema}".${table} WHERE position > $1::bigint AND position <= $2::bigint
      ORDER BY position LIMIT $3::bigint)`;
  const [row] = await read(
    `SELECT position FROM (${some('ai_turns')} UNION ALL ${some('ai_journal')}) p
     ORDER BY position OFFSET $3::bigint - 1 LIMIT 1`,
    after,
    last,
    rows,
  );
  return (row?.position as number | undefined) ?? last;
}

async function readItems(
  read: RunSql,
  schema: string,
  { tenantId, userId }: ChangesPage,
  after: number,
  to: number,
): Promise<readonly Change[]> {
  const owner = 's.session_id AS "sessionId", s.tenant_id AS "tenantId", s.user_id AS "userId"';
  const of = `AND ($3::text IS NULL OR s.user_id = $3)
    AND ($4::boolean OR s.tenant_id IS NOT DISTINCT FROM $5::text)`;
  const values = [after, to, userId ?? null, tenantId === undefined, tenantId ?? null];
  const [turns, entries] = await Promise.all([
    read(
      `SELECT t.position, ${owner}, ${turnColumns} FROM "${schema}".ai_turns t
       JOIN "${schema}".ai_sessions s ON s.key = t.session
       WHERE t.position > $1::bigint AND t.position <= $2::bigint AND t.revision > 0
         AND s.status <> 'deleted' ${of} ORDER BY t.position, t.revision, t.seq`,
      ...values,
    ),
    read(
      `SELECT j.position, ${owner}, j.revision, j.type, j.at, j.data FROM "${schema}".ai_journal j
       JOIN "${schema}".ai_sessions s ON s.key = j.session
       WHERE j.position > $1::bigint AND j.position <= $2::bigint ${of}
       ORDER BY j.position, j.revision, j.part`,
      ...values,
    ),
  ]);
  const items = [
    ...turns.flatMap((row) => {
      const changes = turnItems(toTurn(row, row.sessionId as string));
      return changes.map((item) => ({ ...item, ...placeOf(row) }));
    }),
    ...entries.map((row) => {
      const { at, data, revision, type } = row;
      return { revision, type, at, data, ...placeOf(row) } as Change;
    }),
  ];
  // Turns come before what else their revision left, as in the feed: sorting keeps that order.
  return items.sort((a, b) => Number(a.position) - Number(b.position) || a.revision - b.revision);
}

function placeOf(row: SqlRow): Pick<Change, 'position' | 'sessionId' | 'owner'> {
  return {
    position: String(row.position),
    sessionId: row.sessionId as string,
    owner: { tenantId: row.tenantId as string | null, userId: row.userId as string },
  };
}
