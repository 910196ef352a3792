// Fills the disk that a database lies on, frees it and fills it again. Mounts: see `own-mounts.ts`.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSessions, type Sessions, type TurnInput } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { faultsIn } from '../kit/database-faults.ts';
import { run } from '../kit/run.ts';
import { errorFacts, leave, say } from './talk.ts';

/** What happened, step by step. */
export interface FullDisk {
  /** How many single turns were acknowledged before the disk was full, and how the next one failed. */
  readonly acknowledged: number;
  readonly failures: Readonly<Record<string, unknown>>;
  /** The turn ids as they read while the disk was full. */
  readonly readWhileFull: readonly string[];
  readonly acknowledgedIds: readonly string[];
  readonly listed: number;
  /** Seqs of the turns added by the same store after space was freed. */
  readonly resumedAt: readonly number[];
  readonly closedWhileFull: unknown;
  /** What opening on the full disk gave: the turns there, or an error. */
  readonly reopenedWhileFull: unknown;
  readonly idsAtTheEnd: readonly string[];
  readonly expectedAtTheEnd: readonly string[];
  readonly faults: readonly string[];
}

const [folder = ''] = process.argv.slice(2);
run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder);
const path = join(folder, 'sessions.db');
const ballast = join(folder, 'ballast');

let store = await SqliteSessionStore.open(path);
let sessions = await openSessions();
await sessions.manager.create({ userId: 'u', sessionId: 's' });
writeFileSync(ballast, Buffer.alloc(384 * 1024));

const ids: string[] = [];
let made = 0;
function turn(): TurnInput & { turnId: string } {
  made += 1;
  return { turnId: `t${made}`, role: 'user', content: 'x'.repeat(8_000) };
}

async function openSessions(): Promise<Sessions> {
  return createSessions({ maxTurnsPerSession: 100_000, autoCheckpointInterval: 3 }, { store });
}

/** Adds turns one by one until one fails; answers how it failed. */
async function fill(): Promise<unknown> {
  for (;;) {
    const next = turn();
    try {
      await sessions.manager.addTurn('s', next);
      ids.push(next.turnId);
    } catch (error) {
      return errorFacts(error);
    }
  }
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(() => 'it went well', errorFacts);
}

async function idsInStore(): Promise<string[]> {
  const { turns } = await sessions.manager.getState('s', { turns: 'all' });
  return turns.map((each) => each.turnId);
}

const single = await fill();
const acknowledged = ids.length;
const { branches, manager } = sessions;
const group = await Promise.allSettled(
  Array.from({ length: 8 }, () => manager.addTurn('s', turn())),
);
const failures = {
  single,
  again: await failureOf(manager.addTurn('s', turn())),
  group: group.map((it) => (it.status === 'rejected' ? errorFacts(it.reason) : 'it went well')),
  // Far more than fits: it breaks off in the middle of the writing.
  batch: await failureOf(
    manager.addTurns('s', Array.from({ length: 80 }, turn), { variables: { half: true } }),
  ),
  create: await failureOf(manager.create({ userId: 'u', metadata: { a: 'x'.repeat(8_000) } })),
};
await failureOf(branches.fork('s', 'b'));
await failureOf(manager.rewind('s', { toSeq: 1 }).then(() => manager.undo('s')));
const readWhileFull = await idsInStore();
const acknowledgedIds = [...ids];
const listed = (await manager.list()).items.length;

rmSync(ballast);
const resumedAt: number[] = [];
for (let i = 0; i < 5; i++) {
  const next = turn();
  resumedAt.push((await manager.addTurn('s', next)).seq);
  ids.push(next.turnId);
}

await fill();
const closedWhileFull = await store.close().then(() => 'closed', errorFacts);
const reopenedWhileFull = await (async () => {
  store = await SqliteSessionStore.open(path);
  sessions = await openSessions();
  const there = await idsInStore();
  await store.close();
  return there;
})().catch(errorFacts);

run('mount', '-o', 'remount,size=8m', folder);
store = await SqliteSessionStore.open(path);
sessions = await openSessions();
const last = turn();
await sessions.manager.addTurn('s', last);
const idsAtTheEnd = await idsInStore();
await store.close();
say({
  acknowledged,
  failures,
  readWhileFull,
  acknowledgedIds,
  listed,
  resumedAt,
  closedWhileFull,
  reopenedWhileFull,
  idsAtTheEnd,
  expectedAtTheEnd: [...ids, last.turnId],
  faults: await faultsIn(path),
} satisfies FullDisk);
leave();
