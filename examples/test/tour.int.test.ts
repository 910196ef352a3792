import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { stripVTControlCharacters } from 'node:util';
import { createSessions, type Sessions } from '@lexigram/ai-session';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConversations } from '../src/conversations/read.ts';
import { explain } from '../src/tour/explain.ts';
import { allSessions, pictureOf } from './picture.ts';

const root = join(import.meta.dirname, '..', '..');
const data = join(root, 'examples', 'data');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tour-'));
});
afterAll(() => rm(folder, { recursive: true }));

function start(args: readonly string[] = []): ChildProcess {
  const script = join(root, 'examples', 'src', 'tour.ts');
  return spawn(process.execPath, ['--conditions=@lexigram/source', script, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function run(...args: readonly string[]): Promise<Ended> {
  const child = start(args);
  const [out, err, [code]] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream),
    text(child.stderr as NodeJS.ReadableStream),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, out, err };
}

async function inFile<T>(db: string, read: (sessions: Sessions) => Promise<T>): Promise<T> {
  const url = `sqlite:${join(folder, db)}`;
  const sessions = await createSessions({ backend: 'database', database: { url } });
  try {
    return await read(sessions);
  } finally {
    await sessions.close();
  }
}

const revisions = (db: string) =>
  inFile(db, async (sessions) => {
    const states = await allSessions(sessions);
    return new Map(states.map(({ revision, sessionId }) => [sessionId, revision]));
  });

/** Kills a tour with -9 as soon as `ready` says so. */
async function killWhen(db: string, ready: (sessions: number) => boolean): Promise<void> {
  const child = start(['--db', db]);
  const closed = once(child, 'close') as Promise<[number | null, string | null]>;
  let seen = -1;
  while (!ready(seen) && child.exitCode === null) seen = await countSessions(db);
  child.kill('SIGKILL');
  expect((await closed)[1]).toBe('SIGKILL');
}

/** Looks in from outside, read only: the tour is to make the file. -1 until there is something to see. */
async function countSessions(db: string): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 5));
  try {
    using file = new DatabaseSync(join(folder, db), { readOnly: true });
    return Number(file.prepare('SELECT count(*) AS n FROM ai_sessions').get()?.['n']);
  } catch {
    return -1;
  }
}

describe('the tour', () => {
  let first: Ended;
  beforeAll(async () => {
    first = await run();
  });

  it('tells everything, in plain text where there is no terminal', async () => {
    expect(first).toMatchObject({ code: 0, err: '' });
    expect(stripVTControlCharacters(first.out)).toBe(first.out);
    expect(first.out).not.toContain('\r');
    for (const line of first.out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    for (const step of ['1 create', '3 checkpoint', '6 restore', '7 undo', '8 fork', '9 close']) {
      expect(first.out).toContain(`\n${step} `);
    }
    expect(first.out).toContain('└─ second-try-only  after turn 12, +7 turns');
  });

  it('brings every turn in once', async () => {
    let turns = 0;
    for await (const conversation of readConversations(data)) turns += conversation.turns.length;
    const picture = await inFile('sessions.db', pictureOf);
    const told = picture.filter((each) => JSON.stringify(each).includes('"kind":"life"'));
    const sum = (all: readonly object[]) =>
      all.reduce((total, each) => total + (each as { lifetimeTurns: number }).lifetimeTurns, 0);
    expect(sum(picture) - sum(told)).toBe(turns);
    expect(told).toMatchObject([
      { status: 'closed', closedReason: 'done', lifetimeTurns: 23 },
      { status: 'active', forkSeq: 12, lifetimeTurns: 7 },
    ]);
  });

  it('changes nothing when it runs a second time', async () => {
    const before = await revisions('sessions.db');
    const second = await run();
    expect(second).toMatchObject({ code: 0, err: '' });
    expect(second.out.replaceAll(/\s+/g, ' ')).toMatch(
      /were in sessions\.db already.*none was written twice/,
    );
    expect(second.out).toContain('Nothing of it was done again.');
    expect(await revisions('sessions.db')).toEqual(before);
  });

  it('killed in the middle, and killed again, ends the same', async () => {
    await killWhen('killed.db', (sessions) => sessions >= 3);
    const early = (await revisions('killed.db')).size;
    await killWhen('killed.db', (sessions) => sessions >= Math.max(25, early + 3));
    const late = (await revisions('killed.db')).size;
    const whole = await inFile('sessions.db', pictureOf);
    expect(early).toBeLessThan(late);
    expect(late).toBeLessThan(whole.length);
    const last = await run('--db', 'killed.db');
    expect(last).toMatchObject({ code: 0, err: '' });
    expect(last.out.replaceAll(/\s+/g, ' ')).toContain('turns were there from a run before');
    expect(await inFile('killed.db', pictureOf)).toEqual(whole);
  });

  it('names commands that work', async () => {
    const commands = [...first.out.matchAll(/^ {2}(npm .+?)(?: {2}.*)?$/gm)].map(
      ([, line]) => line,
    );
    expect(commands.length).toBeGreaterThan(4);
    const scripts = async (path: string): Promise<object> =>
      JSON.parse(await readFile(join(root, path, 'package.json'), 'utf8')).scripts;
    const shown: Promise<Ended>[] = [];
    for (const command of commands) {
      const script = /^npm (?:run )?(?:-w (\S+) )?(\S+)(?: -- (.+))?$/.exec(command ?? '');
      const [, workspace = '.', name = '', args] = script ?? [];
      expect(await scripts(workspace), command).toHaveProperty(name);
      if (args !== undefined) shown.push(run(...args.split(' ')));
    }
    for (const { code, err, out } of await Promise.all(shown)) {
      expect([code, err]).toEqual([0, '']);
      expect(out).toMatch(/── The last of \d+ turns ─/);
    }
  });
});

describe.concurrent('in one sentence, with exit code 1, the tour says', () => {
  it.each([
    ['that a file is no database', 'text.db', 'is no SQLite database'],
    ['that a newer version wrote it', 'newer.db', 'schema version 99'],
    ['that a folder is missing', 'nowhere/x.db', 'cannot be opened'],
  ])('%s', async (_, db, sentence) => {
    if (db === 'text.db') await writeFile(join(folder, db), 'no database at all '.repeat(100));
    if (db === 'newer.db') {
      using file = new DatabaseSync(join(folder, db));
      file.exec('CREATE TABLE ai_schema (version INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT');
      file.exec('INSERT INTO ai_schema VALUES (99, 0)');
    }
    const { code, err } = await run('--db', db);
    expect(code).toBe(1);
    expect(err).toContain(sentence);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });

  it('that a session or a file is not there', async () => {
    expect(await run('--show', 'nobody')).toEqual({
      code: 1,
      out: '',
      err: "Session not found: 'nobody'\n",
    });
    const missing = await run('--db', 'missing.db', '--show', 'x');
    expect(missing).toMatchObject({ code: 1, out: '' });
    expect(missing.err).toBe('missing.db is not there: it is made by npm start.\n');
  });

  it('what a store or SQLite itself reports, and lets faults of the program through', () => {
    const engine = Object.assign(new Error('no such table:\n x'), { code: 'ERR_SQLITE_ERROR' });
    expect(explain(engine, 'a.db')).toMatch(/^a\.db cannot be used: no such table: x \(or use/);
    expect(explain(new TypeError('x is not a function'), 'a.db')).toBeNull();
  });
});

it('the tour refuses an unknown option with exit code 2, and tells its usage', async () => {
  const { code, err } = await run('--bd', 'x');
  expect(code).toBe(2);
  expect(err).toContain('usage: npm start -- [--db <file>]');
});
