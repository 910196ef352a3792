import { join } from 'node:path';
import { createSessions } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { describe, expect, it } from 'vitest';
import type { FullDisk } from './children/full-disk.ts';
import type { Attempt } from './children/read-only.ts';
import { startChild } from './kit/children.ts';
import { faultsIn } from './kit/database-faults.ts';
import { storedTurns } from './kit/database-rows.ts';
import { temporaryFolder } from './kit/folder.ts';
import { withOwnMounts } from './kit/own-mounts.ts';
import { ensureStrace, failing } from './kit/strace.ts';

const unavailable = { name: 'SessionStoreUnavailableError', code: 'LEX_ERR_SES_016' };

it('a disk that fills in mid-commit: a clear error, reads go on, and writes when there is space', async () => {
  const script = new URL('./children/full-disk.ts', import.meta.url);
  const child = startChild(script, [temporaryFolder()], withOwnMounts);
  const told = await child.next<FullDisk>();
  const full = { ...unavailable, reason: 'full' };

  expect(told.acknowledged).toBeGreaterThan(5);
  expect(told.failures).toMatchObject({
    single: full,
    again: full,
    group: Array.from({ length: 8 }, () => full),
    batch: full,
    create: full,
  });
  expect(told.readWhileFull).toEqual(told.acknowledgedIds);
  expect(told.listed).toBe(1);
  // Without a restart, right after the last turn that was acknowledged.
  expect(told.resumedAt).toEqual([1, 2, 3, 4, 5].map((n) => told.acknowledged + n));
  expect(told.closedWhileFull).toBe('closed');
  expect(told.reopenedWhileFull).toEqual(told.expectedAtTheEnd.slice(0, -1));
  expect(told.idsAtTheEnd).toEqual(told.expectedAtTheEnd);
  expect(told.faults).toEqual([]);
});

it('a database that cannot be written is refused, or read, and never changed', async () => {
  const script = new URL('./children/read-only.ts', import.meta.url);
  const child = startChild(script, [temporaryFolder()], withOwnMounts);
  const attempts = new Map<string, Attempt>();
  for await (const { case: name, ...attempt } of child.messages<Attempt & { case: string }>()) {
    attempts.set(name, attempt);
  }
  expect(await child.ended).toMatchObject({ code: 0, errors: '' });
  expect([...attempts.keys()]).toEqual([
    'a read-only disk',
    'a read-only disk after a crash',
    'a read-only file in a read-only folder',
    'a read-only file in a writable folder',
    'an unreadable file',
  ]);
  const unreadable = attempts.get('an unreadable file');
  attempts.delete('an unreadable file');
  expect(unreadable?.opened).toMatchObject({ ...unavailable, reason: 'unreachable' });
  for (const [name, { opened, read, untouched, wrote }] of attempts) {
    const readOnly = { ...unavailable, reason: 'read_only' };
    if (opened === 'opened') {
      expect({ read, wrote }, name).toMatchObject({ read: 1, wrote: readOnly });
    } else {
      expect(opened, name).toMatchObject(readOnly);
    }
    expect(untouched, name).toBe(true);
  }
});

describe('a disk that fails', () => {
  const script = new URL('./children/add-turns.ts', import.meta.url);
  const callers = 4;
  const turns = 30;
  const faults: readonly [call: string, error: string, when: string, reason: string][] = [
    ['fsync,fdatasync', 'EIO', '7+3', 'io'],
    ['pwrite64', 'EIO', '150+61', 'io'],
    ['pwrite64', 'ENOSPC', '150+61', 'full'],
  ];
  it.each(faults)('now and then on %s with %s', async (call, error, when, reason) => {
    ensureStrace();
    const folder = temporaryFolder();
    const path = join(folder, 'sessions.db');
    await (await SqliteSessionStore.open(path)).close();
    const through = failing(`${path}-wal`, call, error, when);
    const child = startChild(script, [path, 'default', String(callers), String(turns)], through);
    expect(await child.next()).toEqual({ did: 'open' });
    child.say({ go: true });
    const acknowledged = new Set<string>();
    const failed = new Set<string>();
    for await (const it of child.messages<{
      acknowledged?: string;
      failed?: string;
      error?: object;
    }>()) {
      if (it.acknowledged !== undefined) acknowledged.add(it.acknowledged);
      if (it.failed === undefined) continue;
      failed.add(it.failed);
      expect(it.error).toMatchObject({ ...unavailable, reason });
    }
    expect(await child.ended).toMatchObject({ code: 0, errors: '' });
    expect(acknowledged.size + failed.size).toBe(callers * turns);
    expect(failed.size).toBeGreaterThanOrEqual(callers);
    expect(acknowledged.size).toBeGreaterThanOrEqual(callers);

    // One that failed may be there or not; one that was acknowledged must be, and nothing else is.
    const stored = new Set(storedTurns(path).map((turn) => turn.turnId));
    expect(acknowledged.difference(stored)).toEqual(new Set());
    expect(stored.difference(acknowledged.union(failed))).toEqual(new Set());
    expect(await faultsIn(path)).toEqual([]);

    // Asked again with the same ids, each is there once.
    const store = await SqliteSessionStore.open(path);
    const { manager } = await createSessions({}, { store });
    for (const turnId of failed) {
      const turn = { turnId, role: 'user', content: 'c'.repeat(600) } as const;
      await manager.addTurn(turnId.slice(0, turnId.indexOf('-')), turn);
    }
    await store.close();
    expect(storedTurns(path)).toHaveLength(callers * turns);
    expect(await faultsIn(path)).toEqual([]);
  });
});
