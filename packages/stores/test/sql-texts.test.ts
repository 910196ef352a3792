import { DatabaseSync } from 'node:sqlite';
import { createSessions } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { afterEach, expect, it, vi } from 'vitest';
import { temporaryFile } from './kit/folder.ts';
import { beforeEachStatement } from './kit/statements.ts';
import { useAll } from './kit/use-all.ts';

/** A word that no statement has of its own. */
const canary = 'zqc4n4ry';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Every text of SQL that is sent to SQLite: prepared, run at once, or run again. */
function recordTexts(): Set<string> {
  const texts = new Set<string>();
  const { prepare } = DatabaseSync.prototype;
  vi.spyOn(DatabaseSync.prototype, 'prepare').mockImplementation(function (
    this: DatabaseSync,
    sql: string,
    ...rest
  ) {
    texts.add(sql);
    return prepare.call(this, sql, ...rest);
  });
  beforeEachStatement((sql) => texts.add(sql));
  return texts;
}

it('no text of a caller becomes SQL, and the statements are a fixed number', async () => {
  const texts = recordTexts();
  const store = await SqliteSessionStore.open(temporaryFile());
  const sessions = await createSessions(
    { autoCheckpointInterval: 2, maxCheckpointsPerSession: 3 },
    { store },
  );
  await useAll(sessions, canary);
  expect([...texts].filter((sql) => sql.toLowerCase().includes(canary))).toEqual([]);
  // Each is there for good: another caller with other words brings no new one.
  const before = new Set(texts);
  await useAll(sessions, `"'%_*?[]{}\\; DROP TABLE ai_turns; --`.replaceAll(/[^A-Za-z]/g, 'x'));
  await store.close();
  expect(texts.difference(before)).toEqual(new Set());
  // The schema, what each call of the port sends, and the combinations of list's filters.
  expect(texts.size).toBeLessThanOrEqual(120);
});
