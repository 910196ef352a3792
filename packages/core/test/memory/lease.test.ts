import { afterEach, describe, expect, it, vi } from 'vitest';
import { createSessions } from '../../src/create-sessions.ts';
import { SessionLeaseError, SessionStoreUnavailableError } from '../../src/errors.ts';
import type { MemoryConsolidator } from '../../src/memory/memory-consolidator.ts';
import { SessionMemory } from '../../src/memory/session-memory.ts';
import { InMemoryWorkingMemory } from '../../src/memory/working-memory.ts';
import { InMemorySessionStore } from '../../src/store/memory.ts';
import type { SessionStore } from '../../src/store/port.ts';
import { scripted, until } from './scripted.ts';

const say = (content: string) => ({ role: 'user' as const, content });
/** Long enough that a slow machine gives signs of life in time. */
const leaseMs = 1_500;

/** A clock that tests move, sessions that ended over it, and a store that can be cut off. */
async function openEnded(count: number) {
  const bench = { now: Date.UTC(2026, 2, 1), cut: false };
  const store = new InMemorySessionStore({ clock: () => bench.now });
  const { manager } = await createSessions({}, { store });
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const { sessionId } = await manager.create({ userId: 'u' });
    await manager.addTurns(sessionId, [say('a'), say('b')]);
    await manager.close(sessionId);
    ids.push(sessionId);
  }
  /** Stands before the store of a process whose connection is cut. */
  const cuttable = new Proxy(store, {
    get(target, name: keyof SessionStore) {
      return async (...args: unknown[]) => {
        if (bench.cut) throw new SessionStoreUnavailableError('unreachable', 'cut');
        return Reflect.apply(target[name], target, args);
      };
    },
  });
  return { bench, store, cuttable, ids };
}

describe('a consolidation on its way', () => {
  it('is its process’s as long as that gives signs of life', async () => {
    const { bench, ids, store } = await openEnded(1);
    const [sessionId = ''] = ids;
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = scripted(() => held.then(() => undefined), { leaseMs });
    const quick = scripted(() => undefined, { leaseMs });
    const one = new SessionMemory({ store }, { consolidator: slow.consolidator });
    const two = new SessionMemory({ store }, { consolidator: quick.consolidator });
    const first = one.consolidate(sessionId);
    await until(() => slow.runs.length === 1);
    const takenAt = bench.now;
    // Far longer than the lease, but never longer than it without a beat.
    for (let beat = 1; beat <= 4; beat++) {
      bench.now += leaseMs - 1;
      await until(async () => {
        const record = await store.record(sessionId, 'consolidation', '');
        return record?.dueAt === bench.now + leaseMs;
      });
      expect(await two.consolidateOwed()).toEqual({ done: 0, failed: 0 });
      await expect(two.consolidate(sessionId)).rejects.toThrow(SessionLeaseError);
    }
    expect(bench.now - takenAt).toBeGreaterThan(3 * leaseMs);
    release();
    expect(await first).toMatchObject({ state: 'done', attempts: 1 });
    expect(quick.runs).toEqual([]);
    expect(slow.runs[0]?.run.signal.aborted).toBe(false);
  });

  it('is taken over from a process that is cut off, and what that one brings late is refused', async () => {
    const { bench, cuttable, ids, store } = await openEnded(1);
    const [sessionId = ''] = ids;
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const remember = (content: string) => ({ memories: [{ content, fromSeq: 1, toSeq: 1 }] });
    const stale = scripted(() => held.then(() => remember('stale')), { leaseMs: 600_000 });
    const fresh = scripted(() => remember('fresh'));
    const failures: unknown[] = [];
    const onFailure = (failure: unknown) => failures.push(failure);
    const one = new SessionMemory(
      { store: cuttable },
      { consolidator: stale.consolidator, onFailure },
    );
    const two = new SessionMemory({ store }, { consolidator: fresh.consolidator });
    // It owed nothing before: it ended without a consolidator.
    const first = one.consolidate(sessionId);
    await until(() => stale.runs.length === 1);
    bench.cut = true;
    bench.now += 599_999;
    expect(await two.consolidateOwed()).toEqual({ done: 0, failed: 0 });
    bench.now += 1;
    expect(await two.consolidateOwed()).toEqual({ done: 1, failed: 0 });
    expect(fresh.runs[0]?.run).toMatchObject({ attempt: 2 });
    expect(fresh.runs[0]?.run.token).toBeGreaterThan(stale.runs[0]?.run.token ?? 99);
    bench.cut = false;
    release();
    await expect(first).rejects.toThrow(SessionLeaseError);
    const { items } = await two.list(sessionId);
    expect(items.map(({ content }) => content)).toEqual(['fresh']);
    expect(await two.consolidation(sessionId)).toMatchObject({ state: 'done', attempts: 2 });
  });

  it('is broken off once its lease has run out by its own clock', async () => {
    const { bench, cuttable, ids } = await openEnded(1);
    const [sessionId = ''] = ids;
    const { consolidator, runs } = scripted(
      (_entries, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
      { leaseMs: 60 },
    );
    const memory = new SessionMemory({ store: cuttable }, { consolidator });
    const run = memory.consolidate(sessionId);
    run.catch(() => undefined);
    await until(() => runs.length === 1);
    bench.cut = true;
    await until(() => runs[0]?.run.signal.aborted === true);
    await expect(run).rejects.toThrow(SessionStoreUnavailableError);
  });

  it('that takes too long has failed, whether it listens or not', async () => {
    const { ids, store } = await openEnded(1);
    const { consolidator } = scripted(() => new Promise<never>(() => {}), { timeoutMs: 20 });
    const memory = new SessionMemory({ store }, { consolidator });
    const { lastError, state } = await memory.consolidate(ids[0] ?? '');
    expect([state, lastError?.name]).toEqual(['failed', 'TimeoutError']);
  });
});

/** Lets several workers at sessions that owe, and answers where two were at one session at once. */
async function workTogether(
  work: (
    memory: SessionMemory,
    store: SessionStore,
    consolidator: MemoryConsolidator,
  ) => Promise<void>,
): Promise<{ readonly overlaps: readonly string[]; readonly runs: number }> {
  const { ids, store } = await openEnded(40);
  const { consolidator, overlaps, runs } = scripted(
    () => new Promise((resolve) => setImmediate(() => resolve(undefined))),
  );
  const owing = new SessionMemory({ store }, { consolidator });
  for (const id of ids) await owing.consolidate(id);
  runs.length = 0;
  for (const id of ids) {
    const value = JSON.stringify({ state: 'owed', attempts: 0, lastError: null, memories: 0 });
    await store.commit(id, { records: [{ kind: 'consolidation', key: '', value, dueInMs: 0 }] });
  }
  const workers = Array.from({ length: 8 }, () => new SessionMemory({ store }, { consolidator }));
  await Promise.all(workers.map((memory) => work(memory, store, consolidator)));
  for (const id of ids) expect((await owing.consolidation(id))?.state).toBe('done');
  return { overlaps, runs: runs.length };
}

describe('many workers', () => {
  it('consolidate each session once, never two at once', async () => {
    const { overlaps, runs } = await workTogether(async (memory) => {
      await memory.consolidateOwed();
    });
    expect(overlaps).toEqual([]);
    expect(runs).toBe(40);
  });

  it('without the lease are found at it together', async () => {
    const { overlaps } = await workTogether(async (_memory, store, consolidator) => {
      for (const item of await store.due({ kind: 'consolidation', limit: 100 })) {
        const { sessionId } = item;
        async function* nothing() {}
        const session = { sessionId } as never;
        const { signal } = new AbortController();
        await consolidator.consolidate(nothing(), { session, attempt: 1, token: 1, signal });
        const value = JSON.stringify({
          state: 'done',
          attempts: 1,
          lastError: null,
          memories: 0,
          statistics: null,
        });
        await store.commit(sessionId, { records: [{ kind: 'consolidation', key: '', value }] });
      }
    });
    expect(overlaps.length).toBeGreaterThan(0);
  });
});

describe('closing', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('waits for what is on its way', async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { consolidator, runs } = scripted(() => held.then(() => undefined));
    const store = new InMemorySessionStore();
    const sessions = await createSessions({}, { store, consolidator });
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    await sessions.manager.close(sessionId);
    await until(() => runs.length === 1);
    const closed = sessions.close();
    release();
    await closed;
    const after = new SessionMemory({ store });
    expect((await after.consolidation(sessionId))?.state).toBe('done');
  });

  it('breaks off after ten seconds what does not end, which is owed as before', async () => {
    const { consolidator, runs } = scripted(() => new Promise<never>(() => {}));
    const store = new InMemorySessionStore();
    const sessions = await createSessions({}, { store, consolidator });
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    await sessions.manager.close(sessionId);
    await until(() => runs.length === 1);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let over = false;
    const closed = sessions.close().then(() => {
      over = true;
    });
    await vi.advanceTimersByTimeAsync(9_999);
    expect(over).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await closed;
    const next = scripted();
    const later = new SessionMemory(
      { store },
      { consolidator: next.consolidator, workingMemory: new InMemoryWorkingMemory() },
    );
    expect(await later.consolidation(sessionId)).toMatchObject({ state: 'owed', attempts: 0 });
    expect(await later.consolidateOwed()).toEqual({ done: 1, failed: 0 });
    expect(next.runs[0]?.run.attempt).toBe(1);
  });
});
