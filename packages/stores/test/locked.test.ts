import { DatabaseSync } from 'node:sqlite';
import { createSessions } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { describe, expect, it, onTestFinished } from 'vitest';
import { faultsIn } from './kit/database-faults.ts';
import { longestPause } from './kit/event-loop.ts';
import { temporaryFile } from './kit/folder.ts';

const turn = { role: 'user', content: 'hello' } as const;
/**
 * Less than any wait for a lock here: a store that waits without letting the event loop turn stands still for 300 ms
 * and more. Far above a sync of a slow disk, which is no fault of ours.
 */
const stillMs = 250;

async function openSessions(path: string, lockTimeoutMs: number) {
  const store = await SqliteSessionStore.open(path, { lockTimeoutMs });
  onTestFinished(() => store.close());
  const { manager } = await createSessions({}, { store });
  return { store, manager };
}

/** Another connection that holds the lock for writing. */
function lock(path: string): { release(): void } {
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  const release = (): void => {
    if (other.isOpen) other.close();
  };
  onTestFinished(release);
  return { release };
}

it('a write waits for the lock up to its time-out, and the event loop goes on', async () => {
  const path = temporaryFile();
  const { manager } = await openSessions(path, 300);
  await manager.create({ userId: 'u', sessionId: 's' });
  const { release } = lock(path);

  const started = performance.now();
  const pause = await longestPause(async () => {
    const refused = await Promise.allSettled([1, 2, 3].map(() => manager.addTurn('s', turn)));
    for (const result of refused) {
      const reason = { name: 'SessionStoreUnavailableError', reason: 'locked' };
      expect(result).toMatchObject({ status: 'rejected', reason });
    }
  });
  expect(performance.now() - started).toBeGreaterThanOrEqual(299);
  expect(pause).toBeLessThan(stillMs);
  // Reads go on meanwhile, and nothing was written.
  expect((await manager.getState('s')).turnCount).toBe(0);

  release();
  expect((await manager.addTurn('s', turn)).seq).toBe(1);
  expect(await faultsIn(path)).toEqual([]);
});

it('a lock that is held for less than the time-out is waited out', async () => {
  const path = temporaryFile();
  const { manager } = await openSessions(path, 10_000);
  await manager.create({ userId: 'u', sessionId: 's' });
  const { release } = lock(path);

  const waiting = Promise.all(
    Array.from({ length: 20 }, (_, i) => manager.addTurn('s', { ...turn, content: `${i}` })),
  );
  setTimeout(release, 1_000);
  const pause = await longestPause(() => waiting);
  expect(pause).toBeLessThan(stillMs);
  // In the order in which they were asked for.
  expect((await waiting).map(({ seq }) => seq)).toEqual(
    Array.from({ length: 20 }, (_, i) => i + 1),
  );
  expect(await faultsIn(path)).toEqual([]);
});

it('what was asked for while waiting waits too', async () => {
  const path = temporaryFile();
  const { manager } = await openSessions(path, 10_000);
  await manager.create({ userId: 'u', sessionId: 's' });
  const { release } = lock(path);
  const first = manager.addTurn('s', turn);
  await new Promise((resolve) => setTimeout(resolve, 30));
  const second = manager.addTurn('s', turn);
  release();
  expect([(await first).seq, (await second).seq]).toEqual([1, 2]);
});

it('each call has its own time-out, counted from when it was made', async () => {
  const path = temporaryFile();
  const { manager } = await openSessions(path, 1_000);
  await manager.create({ userId: 'u', sessionId: 's' });
  const { release } = lock(path);
  const first = manager.addTurn('s', turn);
  // The second call comes late in the wait of the first, and the lock is let go right after it.
  let late: Promise<{ seq: number }> | undefined;
  setTimeout(() => {
    late = manager.addTurn('s', turn);
    late.catch(() => {});
  }, 500);
  await expect(first).rejects.toMatchObject({ reason: 'locked' });
  release();
  await expect(late).resolves.toMatchObject({ seq: 1 });
});

describe.each(['delete', 'wal'])('opening a file without our tables, journal %s,', (journal) => {
  function lockedFile() {
    const path = temporaryFile();
    const db = new DatabaseSync(path);
    db.exec(`PRAGMA journal_mode = ${journal}; CREATE TABLE theirs (a)`);
    db.close();
    return { path, ...lock(path) };
  }

  it('waits for the lock up to its time-out, and the event loop goes on', async () => {
    const { path, release } = lockedFile();
    const started = performance.now();
    const pause = await longestPause(async () => {
      const opened = SqliteSessionStore.open(path, { lockTimeoutMs: 300 });
      const expected = { name: 'SessionStoreUnavailableError', reason: 'locked' };
      await expect(opened).rejects.toMatchObject(expected);
    });
    expect(performance.now() - started).toBeGreaterThanOrEqual(299);
    expect(pause).toBeLessThan(stillMs);
    release();
    await openSessions(path, 300);
  });

  it('waits out a short lock', async () => {
    const { path, release } = lockedFile();
    setTimeout(release, 1_000);
    const pause = await longestPause(async () => {
      const store = await SqliteSessionStore.open(path, { lockTimeoutMs: 2_000 });
      await store.close();
    });
    expect(pause).toBeLessThan(stillMs);
    expect(await faultsIn(path)).toEqual([]);
  });
});

it('a schema that is up to date is opened while another process writes', async () => {
  const path = temporaryFile();
  const { manager } = await openSessions(path, 300);
  await manager.create({ userId: 'u', sessionId: 's' });
  lock(path);
  const other = await openSessions(path, 300);
  expect((await other.manager.getState('s')).turnCount).toBe(0);
});

it('closing while a write waits for the lock waits for the write', async () => {
  const path = temporaryFile();
  const { manager, store } = await openSessions(path, 10_000);
  await manager.create({ userId: 'u', sessionId: 's' });
  const { release } = lock(path);
  const added = manager.addTurn('s', turn);
  await new Promise((resolve) => setImmediate(resolve));
  const closed = store.close();
  setTimeout(release, 50);
  expect((await added).seq).toBe(1);
  await closed;
  expect(await faultsIn(path)).toEqual([]);
});
