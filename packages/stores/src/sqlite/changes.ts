import { type Change, type Changes, type ChangesPage, turnItems } from '@lexigram/ai-session/store';
import { journalData } from './journal.ts';
import { type SqlRow, toTurn, turnColumns } from './rows.ts';
import type { Statements } from './statements.ts';

/** Where the changes end, and up to where some may be missing that time has dropped. */
export interface Ends {
  readonly last: number;
  readonly dropped: number;
}

/**
 * Turns and entries of the journal draw their ids from one row of numbers, in the order in which they are stored;
 * there is one writer at a time, so that it is the order of commits too.
 */
export function readEnds({ sql }: Statements): Ends {
  const row = sql(
    `SELECT max(last, ifnull((SELECT max(id) FROM ai_turns), 0),
       ifnull((SELECT max(id) FROM ai_journal), 0)) AS last, dropped FROM ai_positions`,
  ).get();
  return { last: Number(row?.last ?? 0), dropped: Number(row?.dropped ?? 0) };
}

/** Positions that one page looks at: so many rows of others are passed over at most in one go. */
const span = 2_000;

const owner = `s.session_id AS sessionId, s.tenant_id AS tenantId, s.user_id AS userId`;
const ofUser = (given: boolean): string =>
  given ? 'AND s.user_id = ? AND (? OR s.tenant_id IS ?)' : '';

/**
 * One page of what happened in all sessions, or in one user's: always in the order of ids (CROSS JOIN), which ends
 * with the page, and not by way of a user's sessions, which would have to be put in order.
 */
export function readChanges(statements: Statements, page: ChangesPage): Changes {
  // What is up to the end is committed and stays in its place: the reads after this one all see it.
  const { dropped, last } = readEnds(statements);
  const after = page.after === null ? last : Number(page.after);
  if (!(after >= dropped && after <= last)) {
    const next = after < dropped ? dropped : last;
    return { items: [], next: String(next), done: next === last, reset: true };
  }
  if (after === last) return { items: [], next: String(last), done: true, reset: false };
  const to = Math.min(last, after + span);
  const rows = [
    ...readTurns(statements, page, after, to),
    ...readJournal(statements, page, after, to),
  ].sort((a, b) => a.id - b.id);
  const items: Change[] = [];
  for (const { changes, id } of rows) {
    items.push(...changes);
    if (items.length >= page.limit)
      return { items, next: String(id), done: id === last, reset: false };
  }
  return { items, next: String(to), done: to === last, reset: false };
}

interface Placed {
  readonly id: number;
  readonly changes: readonly Change[];
}

function readTurns(
  { sql }: Statements,
  page: ChangesPage,
  after: number,
  to: number,
): readonly Placed[] {
  return sql(
    `SELECT t.id, ${owner}, ${turnColumns} FROM ai_turns t CROSS JOIN ai_sessions s ON s.key = t.session
     WHERE t.id > ? AND t.id <= ? AND t.revision IS NOT NULL AND s.status <> 'deleted'
       ${ofUser(page.userId !== undefined)} ORDER BY t.id LIMIT ?`,
  )
    .all(after, to, ...userOf(page), page.limit)
    .map((row) => {
      const id = row.id as number;
      const items = turnItems(toTurn(row, row.sessionId as string));
      return { id, changes: items.map((item) => ({ ...item, ...placeOf(row) })) };
    });
}

function readJournal(
  { sql }: Statements,
  page: ChangesPage,
  after: number,
  to: number,
): readonly Placed[] {
  return sql(
    `SELECT j.id, ${owner}, j.revision, j.type, j.at, ${journalData}
     FROM ai_journal j CROSS JOIN ai_sessions s ON s.key = j.session
     WHERE j.id > ? AND j.id <= ? ${ofUser(page.userId !== undefined)} ORDER BY j.id LIMIT ?`,
  )
    .all(after, to, ...userOf(page), page.limit)
    .map((row) => {
      const { at, data, id, revision, type } = row as unknown as Change & {
        readonly id: number;
        readonly data: string | null;
      };
      return { id, changes: [{ revision, type, at, data, ...placeOf(row) } as Change] };
    });
}

function userOf({ tenantId, userId }: ChangesPage): (string | number | null)[] {
  if (userId === undefined) return [];
  return [userId, tenantId === undefined ? 1 : 0, tenantId ?? null];
}

function placeOf(row: SqlRow): Pick<Change, 'position' | 'sessionId' | 'owner'> {
  return {
    position: String(row.id),
    sessionId: row.sessionId as string,
    owner: { tenantId: row.tenantId as string | null, userId: row.userId as string },
  };
}
