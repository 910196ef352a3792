import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { inspect } from 'node:util';
import {
  createSessions,
  isSessionError,
  SessionConfigError,
  SessionCorruptDataError,
  SessionStoreUnavailableError,
  SessionUnsupportedError,
} from '@lexigram/ai-session';
import { DatabaseSessionStore, SqliteSessionStore } from '@lexigram/ai-session-stores';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { faultsIn } from './kit/database-faults.ts';
import { query } from './kit/database-rows.ts';
import { temporaryFile, temporaryFolder } from './kit/folder.ts';

/** Opens a file, writes a session into it and closes it again. */
async function useFile(path: string): Promise<void> {
  const store = await SqliteSessionStore.open(path);
  try {
    const { manager } = await createSessions({}, { store });
    const { sessionId } = await manager.create({ userId: 'u' });
    await manager.addTurn(sessionId, { role: 'user', content: 'hello' });
  } finally {
    await store.close();
  }
}

function makeDatabase(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}

/** Opening must fail and leave the file, and its folder, as they were. */
async function expectRefused(path: string): Promise<unknown> {
  const before = readFileSync(path);
  const names = readdirSync(dirname(path));
  const error = await SqliteSessionStore.open(path).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(isSessionError(error), `not an error of ours: ${error}`).toBe(true);
  expect(readFileSync(path).equals(before), 'the file was changed').toBe(true);
  expect(readdirSync(dirname(path))).toEqual(names);
  return error;
}

describe('a file that can be used', () => {
  it('is made if it is not there', async () => {
    const path = temporaryFile();
    await useFile(path);
    await useFile(path);
    expect(query(path, 'SELECT * FROM ai_sessions')).toHaveLength(2);
    expect(await faultsIn(path)).toEqual([]);
    // Closing leaves one file: the log is written back.
    expect(readdirSync(dirname(path))).toEqual(['sessions.db']);
  });

  it('may be empty', async () => {
    const path = temporaryFile();
    writeFileSync(path, '');
    await useFile(path);
    expect(await faultsIn(path)).toEqual([]);
  });

  it('may be the database of another program: ours lives beside, theirs stays as it was', async () => {
    const path = temporaryFile();
    makeDatabase(
      path,
      `CREATE TABLE sessions (id INTEGER PRIMARY KEY, note TEXT);
       CREATE INDEX sessions_note ON sessions (note);
       CREATE TRIGGER twice AFTER INSERT ON sessions WHEN new.id < 100
         BEGIN INSERT INTO sessions VALUES (new.id + 100, new.note); END;
       INSERT INTO sessions VALUES (1, 'theirs'), (2, 'also theirs');
       PRAGMA user_version = 7; PRAGMA application_id = 99;`,
    );
    const theirs = (): unknown => [
      query(path, "SELECT type, name, sql FROM sqlite_schema WHERE tbl_name = 'sessions'"),
      query(path, 'SELECT * FROM sessions ORDER BY id'),
      query(path, 'PRAGMA user_version'),
      query(path, 'PRAGMA application_id'),
    ];
    const before = theirs();
    await useFile(path);
    expect(theirs()).toEqual(before);
    expect(await faultsIn(path)).toEqual([]);
  });

  it('may be a copy with another journal: it gets the log that writes rely on', async () => {
    const path = temporaryFile();
    const copy = temporaryFile('copy.db');
    await useFile(path);
    query(path, `VACUUM INTO '${copy}'`);
    expect(query(copy, 'PRAGMA journal_mode')).toEqual([{ journal_mode: 'delete' }]);
    await useFile(copy);
    expect(query(copy, 'PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    expect(await faultsIn(copy)).toEqual([]);
  });

  it('may be a URL, relative, absolute or in memory', async () => {
    const path = temporaryFile('a b%20c.db');
    for (const url of [`sqlite:${path}`, `sqlite://${path}`, 'sqlite::memory:']) {
      const store = await DatabaseSessionStore.open(url);
      await store.close();
    }
    expect(readdirSync(dirname(path))).toEqual(['a b%20c.db']);
  });
});

describe('a file that cannot be used', () => {
  const noDatabase: readonly [name: string, content: string | Uint8Array][] = [
    ['text', 'This is no database. '.repeat(500)],
    ['a short text', 'hi'],
    ['zeros', new Uint8Array(8_192)],
    ['the name of the format and nothing more', 'SQLite format 3\0'],
    ['the name of the format and garbage', `SQLite format 3\0${'\u007f'.repeat(8_000)}`],
  ];
  it.each(noDatabase)('is refused if it is no database: %s', async (_, content) => {
    const path = temporaryFile();
    writeFileSync(path, content);
    const error = await expectRefused(path);
    expect(error).toBeInstanceOf(SessionCorruptDataError);
    expect(error).toMatchObject({ place: `database '${path}'` });
  });

  it('is refused if it was cut off', async () => {
    const path = temporaryFile();
    await useFile(path);
    truncateSync(path, 10_000);
    expect(await expectRefused(path)).toBeInstanceOf(SessionCorruptDataError);
  });

  it('is refused if a newer version wrote it', async () => {
    const path = temporaryFile();
    await useFile(path);
    makeDatabase(path, 'INSERT INTO ai_schema VALUES (999, 0)');
    const error = await expectRefused(path);
    expect(error).toBeInstanceOf(SessionUnsupportedError);
    expect(error).toMatchObject({ message: expect.stringContaining('999') });
  });

  const clashes = [
    'CREATE TABLE ai_turns (whatever)',
    'CREATE TABLE ai_sessions (whatever)',
    'CREATE VIEW ai_turns AS SELECT 1 AS whatever',
    'CREATE TABLE ai_schema (whatever)',
    'CREATE TABLE ai_schema (version)',
    'CREATE VIEW ai_schema AS SELECT 1 AS version',
  ];
  it.each(clashes)('is refused if another program has our names: %s', async (sql) => {
    const path = temporaryFile();
    makeDatabase(path, sql);
    const error = await expectRefused(path);
    expect((error as Error).message).toContain('ai_');
  });

  it.each(['a directory', 'a folder that is not there'])('is refused: %s', async (what) => {
    const folder = temporaryFolder();
    if (what === 'a directory') mkdirSync(join(folder, 'db'));
    const path = what === 'a directory' ? join(folder, 'db') : join(folder, 'no', 'sessions.db');
    const before = readdirSync(folder, { recursive: true });
    const refused = SqliteSessionStore.open(path);
    await expect(refused).rejects.toThrow(SessionStoreUnavailableError);
    await expect(refused).rejects.toMatchObject({
      reason: 'unreachable',
      message: expect.stringContaining(path),
    });
    expect(readdirSync(folder, { recursive: true })).toEqual(before);
  });

  // An empty path is SQLite's word for a file that is gone when it is closed.
  it.each(['', 'a\0b', undefined, null, 7, {}])('is refused if the path is %j', async (path) => {
    const error = await SqliteSessionStore.open(path as string).then(
      async (store) => store.close(),
      (reason: unknown) => reason,
    );
    expect(isSessionError(error), `not an error of ours: ${error}`).toBe(true);
  });

  it.each([
    'sqlite:',
    'sqlite://host/file.db',
    'sqlite:a\0b',
    'mysql://user:secret@host/db',
    'file.db',
    '',
    7,
    null,
  ])('is refused as a URL: %j', async (url) => {
    const error = await DatabaseSessionStore.open(url as string).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'SessionConfigError' });
    expect((error as Error).message).not.toContain('secret');
  });
});

it.each([
  'mysql://user:zqc4n4ry@host/db',
  'mysql://host/db?password=zqc4n4ry',
  'redis://:zqc4n4ry',
  'host=a password=zqc4n4ry',
  'postgres://user:zqc4n4ry@host:port/db',
  'postgres://user:zqc4n4ry@host/db?pooler=zqc4n4ry',
  'sqlite://zqc4n4ry@host/db',
])('no URL that cannot be used shows its password: %s', async (url) => {
  const error = await DatabaseSessionStore.open(url).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(SessionConfigError);
  expect(inspect(error, { depth: 9 })).not.toContain('zqc4n4ry');
});

it('an engine with the known fault of several writers is warned of', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const versions = vi.spyOn(process, 'versions', 'get');
  const { versions: real } = process;
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
  for (const [sqlite, warned] of [
    ['3.51.2', 1],
    ['3.50.4', 1],
    ['3.51.3', 0],
    ['4.0.0', 0],
  ] as const) {
    versions.mockReturnValue({ ...real, sqlite });
    warn.mockClear();
    await (await SqliteSessionStore.open(':memory:')).close();
    expect(warn, sqlite).toHaveBeenCalledTimes(warned);
  }
});
