import { DatabaseSync } from 'node:sqlite';
import { createSessions } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { expect, it } from 'vitest';
import { faultsIn } from './kit/database-faults.ts';
import { temporaryFile } from './kit/folder.ts';

/** A database with a bit of everything. */
async function makeDatabase(path: string): Promise<void> {
  const store = await SqliteSessionStore.open(path);
  const { branches, manager } = await createSessions({ autoCheckpointInterval: 2 }, { store });
  await manager.create({ userId: 'u', sessionId: 'one', variables: { a: 1 } });
  for (const n of [1, 2, 3, 4]) {
    const usage = { inputTokens: n };
    await manager.addTurn('one', { role: 'user', content: `${n}`, usage, cost: 0.5 });
  }
  const { sessionId } = await branches.fork('one', 'b', { atSeq: 3 });
  await manager.addTurn(sessionId, { role: 'user', content: 'on' });
  await manager.rewind('one', { toSeq: 2 });
  await manager.addTurn('one', { role: 'user', content: 'again' });
  await manager.undo('one');
  await store.close();
}

const one = "session = (SELECT key FROM ai_sessions WHERE session_id = 'one')";

// Each is what some broken store could leave behind.
it.each([
  ['a lost turn', `DELETE FROM ai_turns WHERE ${one} AND timeline = 1 AND seq = 2`],
  ['a gap', `UPDATE ai_turns SET seq = 9 WHERE ${one} AND timeline = 1 AND seq = 4`],
  ['a wrong sum', `UPDATE ai_turns SET tokens = tokens + 1 WHERE ${one} AND seq = 2`],
  ['a wrong price', `UPDATE ai_turns SET cost = cost - 1 WHERE ${one} AND seq = 2`],
  [
    'a head behind its turns',
    `UPDATE ai_sessions SET seq = 1, timeline = 2 WHERE session_id = 'one'`,
  ],
  ['a wrong lifetime', `UPDATE ai_sessions SET lifetime_turns = 9 WHERE session_id = 'one'`],
  [
    'a revision too many',
    `UPDATE ai_sessions SET revision = revision + 1 WHERE session_id = 'one'`,
  ],
  ['a lost entry of the journal', `DELETE FROM ai_journal WHERE ${one} AND type = 'move'`],
  ['a lost move', `DELETE FROM ai_records WHERE ${one} AND kind = 'move' AND key LIKE '%1'`],
  ['a lost timeline', `DELETE FROM ai_timelines WHERE ${one} AND n = 2`],
  [
    'a timeline too many',
    `INSERT INTO ai_timelines (session, n, base, lineage, chunks, root, previous)
       SELECT session, 3, base, lineage, chunks, root, previous FROM ai_timelines WHERE ${one} AND n = 2`,
  ],
  [
    'a checkpoint of the future',
    `UPDATE ai_turns SET checkpoint = 99 WHERE ${one} AND checkpoint = 1`,
  ],
  ['a redo to nowhere', `UPDATE ai_records SET value = 'one.7' WHERE ${one} AND kind = 'redo'`],
  ['a branch that its parent forgot', `DELETE FROM ai_records WHERE ${one} AND kind = 'branch'`],
  ['lost variables', `DELETE FROM ai_variables WHERE ${one}`],
  [
    'rows of nobody',
    `INSERT INTO ai_journal (session, revision, part, type, at) VALUES (99, 1, 0, 'created', 0)`,
  ],
  ['two schema versions', 'INSERT INTO ai_schema VALUES (0, 0)'],
])('the check of databases finds %s', async (_, sql) => {
  const path = temporaryFile();
  await makeDatabase(path);
  expect(await faultsIn(path)).toEqual([]);
  const db = new DatabaseSync(path);
  const { changes } = db.prepare(sql).run();
  db.close();
  expect(changes).toBeGreaterThan(0);
  expect(await faultsIn(path)).not.toEqual([]);
});
