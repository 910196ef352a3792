import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSessions, type SessionStore, type Sessions } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { describe, expect, it } from 'vitest';
import { splitsCommits } from './broken/splits-commits-store.ts';
import { startChild } from './kit/children.ts';
import { faultsIn } from './kit/database-faults.ts';
import { temporaryFolder } from './kit/folder.ts';
import { randomOf } from './kit/random.ts';
import { run } from './kit/run.ts';
import { beforeEachStatement, isWrite } from './kit/statements.ts';
import { type Step, story, storyClock, storyConfig, type Told, visible } from './kit/story.ts';
import { countOf } from './scale.ts';

/** What a crash left: the files, and how many steps had been answered. */
interface Crash {
  readonly path: string;
  readonly answered: number;
}

interface Reference {
  /** What callers saw after each number of steps. */
  readonly after: readonly string[];
  readonly told: Told;
  /** The statements that write, each with the number of steps that were answered before it. */
  readonly statements: readonly { readonly sql: string; readonly answered: number }[];
  /** The files before each of them; those before which nothing had changed only once. */
  readonly crashes: readonly Crash[];
}

/**
 * Tells the story, and before each statement that writes copies the file and its log: with the process dead at
 * this moment they would look just so.
 */
async function tellStory(
  folder: string,
  steps: readonly Step[] = story,
  wrap: (store: SessionStore) => SessionStore = (store) => store,
): Promise<Reference> {
  const path = join(folder, 'sessions.db');
  const { sessions, store } = await open(path, wrap);
  const statements: { sql: string; answered: number }[] = [];
  const crashes: Crash[] = [];
  const after: string[] = [await see(sessions)];
  const told: Told = {};
  let last = Buffer.alloc(0);
  // By another process: closing the file in this one would drop the locks that SQLite has on it.
  const base = join(folder, 'base.db');
  run('cp', path, base);
  for (const step of steps) {
    const answered = after.length - 1;
    const stop = beforeEachStatement((sql) => {
      if (!isWrite(sql)) return;
      statements.push({ sql, answered });
      const log = readFileSync(`${path}-wal`);
      if (crashes.at(-1)?.answered === answered && log.equals(last)) return;
      last = log;
      const copy = join(folder, `crash-${statements.length}`);
      mkdirSync(copy);
      copyFileSync(base, join(copy, 'sessions.db'));
      writeFileSync(join(copy, 'sessions.db-wal'), log);
      crashes.push({ path: join(copy, 'sessions.db'), answered });
    });
    await step(sessions, told);
    stop();
    after.push(await see(sessions));
  }
  // All of it went to the log.
  run('cmp', path, base);
  await store.close();
  expect(await faultsIn(path)).toEqual([]);
  return { after, told, statements, crashes };
}

async function see(sessions: Sessions): Promise<string> {
  return JSON.stringify(await visible(sessions), null, 1);
}

async function open(path: string, wrap = (store: SessionStore): SessionStore => store) {
  const store = wrap(
    await SqliteSessionStore.open(path, { clock: storyClock, synchronous: 'normal' }),
  );
  return { sessions: await createSessions(storyConfig, { store }), store };
}

/**
 * What is left of a crash is the state after the steps that were answered, or after the one that was under way,
 * and nothing in between; and whoever asks again ends where the story ends.
 */
async function expectSafe({ answered, path }: Crash, reference: Reference): Promise<void> {
  const { after, told } = reference;
  const when = `killed after step ${answered}`;
  expect(await faultsIn(path), when).toEqual([]);
  const { sessions, store } = await open(path);
  const left = await see(sessions);
  const isUndone = left === after[answered];
  if (!isUndone) expect(left, when).toBe(after[answered + 1]);

  // Whoever was not answered asks again; and whoever was, if nothing has happened since.
  const retold = { ...told };
  const from = isUndone ? Math.max(0, answered - 1) : answered;
  for (const step of story.slice(from)) await step(sessions, retold);
  expect(retold, when).toEqual(told);
  expect(await see(sessions), when).toBe(after.at(-1));
  await store.close();
  expect(await faultsIn(path), when).toEqual([]);
}

describe('a crash at any statement', () => {
  it('leaves the state before or after the call, on copies of the files at each of them', async () => {
    const reference = await tellStory(temporaryFolder());
    expect(reference.statements.length).toBeGreaterThan(100);
    expect(reference.crashes.length).toBeGreaterThan(story.length);
    for (const crash of reference.crashes) await expectSafe(crash, reference);
  });

  it('leaves the same when the process is really killed', async () => {
    const folder = temporaryFolder();
    const reference = await tellStory(folder);
    const script = new URL('./children/crash-at.ts', import.meta.url);
    const points = reference.statements.map((_, i) => i + 1);
    const random = randomOf(6);
    const chosen = points.filter(() => random.between(1, points.length) <= countOf('crashKills'));
    expect(chosen.length).toBeGreaterThan(1);
    for (const n of chosen) {
      const path = join(folder, `killed-${n}.db`);
      const child = startChild(script, [path, String(n)]);
      let answered = 0;
      for await (const { step } of child.messages<{ step: number }>()) answered = step;
      expect(await child.ended).toEqual({ code: null, signal: 'SIGKILL', errors: '' });
      expect(answered).toBe(reference.statements[n - 1]?.answered);
      await expectSafe({ path, answered }, reference);
    }
  });

  it('would be found if it left half of a commit', async () => {
    // The first steps, up to the batch with its variables.
    const reference = await tellStory(temporaryFolder(), story.slice(0, 4), splitsCommits);
    const left = await Promise.all(
      reference.crashes.map(async ({ answered, path }) => {
        const { sessions, store } = await open(path);
        const state = await see(sessions);
        await store.close();
        return reference.after.slice(answered, answered + 2).includes(state);
      }),
    );
    expect(left).toContain(true);
    expect(left).toContain(false);
  });
});
