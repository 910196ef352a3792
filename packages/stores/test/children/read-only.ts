// Uses databases that cannot be written, in several ways. Mounts: see `own-mounts.ts`.
import { chmodSync, copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSessions } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { run } from '../kit/run.ts';
import { errorFacts, leave, say } from './talk.ts';

/** What became of an attempt: how many turns could be read, or how opening failed, and how writing failed. */
export interface Attempt {
  readonly opened: unknown;
  readonly read: unknown;
  readonly wrote: unknown;
  readonly untouched: boolean;
}

const [folder = ''] = process.argv.slice(2);
run('mount', '-t', 'tmpfs', 'tmpfs', folder);
const closed = await makeDatabase('closed');
const crashed = await makeDatabase('crashed', true);

async function makeDatabase(name: string, crash = false): Promise<string> {
  mkdirSync(join(folder, name));
  const path = join(folder, name, 'sessions.db');
  const store = await SqliteSessionStore.open(path);
  const { manager } = await createSessions({}, { store });
  await manager.create({ userId: 'u', sessionId: 's' });
  await manager.addTurn('s', { role: 'user', content: 'hello' });
  if (crash) {
    // What a crash leaves behind: the file and its log.
    const left = join(folder, `${name}-left`);
    mkdirSync(left);
    for (const end of ['', '-wal']) copyFileSync(`${path}${end}`, join(left, `sessions.db${end}`));
    await store.close();
    return join(left, 'sessions.db');
  }
  await store.close();
  return path;
}

async function attempt(path: string): Promise<Attempt> {
  const before = readFileSync(path);
  const untouched = (): boolean => readFileSync(path).equals(before);
  let store: SqliteSessionStore;
  try {
    store = await SqliteSessionStore.open(path);
  } catch (error) {
    return { opened: errorFacts(error), read: null, wrote: null, untouched: untouched() };
  }
  const used = await use(store);
  await store.close();
  return { opened: 'opened', ...used, untouched: untouched() };
}

async function use(store: SqliteSessionStore): Promise<Pick<Attempt, 'read' | 'wrote'>> {
  const { manager } = await createSessions({}, { store });
  const read = await manager.getState('s').then((state) => state.turnCount, errorFacts);
  const wrote = await manager
    .addTurn('s', { role: 'user', content: 'more' })
    .then(() => 'it went well', errorFacts);
  return { read, wrote };
}

run('mount', '-o', 'remount,ro', folder);
say({ case: 'a read-only disk', ...(await attempt(closed)) });
say({ case: 'a read-only disk after a crash', ...(await attempt(crashed)) });
run('mount', '-o', 'remount,rw', folder);

// Root may write whatever the permissions say, so the rest is done as nobody.
const file = join(folder, 'closed', 'sessions.db');
chmodSync(folder, 0o755);
chmodSync(file, 0o444);
chmodSync(join(folder, 'closed'), 0o555);
process.seteuid?.(65_534);
say({ case: 'a read-only file in a read-only folder', ...(await attempt(file)) });
process.seteuid?.(0);
chmodSync(join(folder, 'closed'), 0o777);
process.seteuid?.(65_534);
say({ case: 'a read-only file in a writable folder', ...(await attempt(file)) });
process.seteuid?.(0);
chmodSync(file, 0o000);
process.seteuid?.(65_534);
const opened = await SqliteSessionStore.open(file).then(() => 'opened', errorFacts);
say({ case: 'an unreadable file', opened, read: null, wrote: null, untouched: true });
leave();
