import { DatabaseSync } from 'node:sqlite';
import { schemaVersion } from '../../src/sqlite/schema.ts';

/** A turn as its row has it, with the id of its session. */
export interface StoredTurn {
  readonly sessionId: string;
  /** The number of its timeline. */
  readonly timeline: number;
  readonly seq: number;
  readonly turnId: string;
  readonly body: string;
}

/** Rows of a database, read past the store: what the file holds, not what the store says. */
export function query<Row>(path: string, sql: string): readonly Row[] {
  const db = new DatabaseSync(path);
  try {
    return db.prepare(sql).all() as Row[];
  } finally {
    db.close();
  }
}

/** All turns, in order of session, timeline and seq. */
export function storedTurns(path: string): readonly StoredTurn[] {
  return query(
    path,
    `SELECT session_id AS sessionId, t.timeline, t.seq, t.turn_id AS turnId, body
     FROM ai_turns t JOIN ai_sessions s ON s.key = t.session
     ORDER BY session_id, t.timeline, t.seq`,
  );
}

/** What is wrong with the file and its tables as such. */
export function faultsOfFile(path: string): string[] {
  const faults = query<{ integrity_check: string }>(path, 'PRAGMA integrity_check')
    .map((row) => row.integrity_check)
    .filter((line) => line !== 'ok');
  const versions = query(path, 'SELECT version FROM ai_schema').length;
  if (versions !== schemaVersion) faults.push(`${versions} schema versions`);
  for (const table of ['timelines', 'turns', 'variables', 'records', 'journal']) {
    const lost = query(
      path,
      `SELECT 1 FROM ai_${table} WHERE session NOT IN (SELECT key FROM ai_sessions)`,
    ).length;
    if (lost > 0) faults.push(`${lost} rows of ai_${table} without a session`);
  }
  const unheld = query<{ id: string }>(
    path,
    `SELECT session_id AS id FROM ai_sessions s WHERE status = 'deleted' AND due_at IS NULL
       AND EXISTS (SELECT 1 FROM ai_turns WHERE session = s.key)
       AND NOT EXISTS (SELECT 1 FROM ai_records WHERE session = s.key)`,
  );
  return [...faults, ...unheld.map(({ id }) => `deleted ${id} left turns that nobody holds`)];
}
