import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BackgroundFailure } from '../../src/cleanup/report-failure.ts';
import { SessionCleanupScheduler } from '../../src/cleanup/session-cleanup-scheduler.ts';
import { createSessions } from '../../src/create-sessions.ts';
import { SessionInputError, SessionStoreUnavailableError } from '../../src/errors.ts';
import { InMemorySessionStore } from '../../src/store/memory.ts';
import type { SessionStore } from '../../src/store/port.ts';

/** A store that notes when it was asked what is due. */
function watched(due?: () => Promise<never>): { store: SessionStore; asked: number[] } {
  const inner = new InMemorySessionStore();
  const asked: number[] = [];
  const store = new Proxy(inner, {
    get(target, name: keyof SessionStore) {
      return (...args: unknown[]) => {
        if (name === 'due') {
          asked.push(Date.now());
          if (due !== undefined) return due();
        }
        return Reflect.apply(target[name], target, args);
      };
    },
  });
  return { store, asked };
}

const minute = 60_000;

describe('the scheduler', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('sweeps at intervals that differ by up to a fifth', async () => {
    const { asked, store } = watched();
    const cleanup = new SessionCleanupScheduler({ store, config: { cleanupIntervalS: 60 } });
    const start = Date.now();
    expect(cleanup.started).toBe(false);
    cleanup.start();
    cleanup.start();
    expect(cleanup.started).toBe(true);
    await vi.advanceTimersByTimeAsync(100 * minute);
    const gaps = asked.map((at, i) => at - (asked[i - 1] ?? start));
    expect(asked.length).toBeGreaterThan(80);
    expect(asked.length).toBeLessThan(126);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0.8 * minute);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1.2 * minute);
    expect(new Set(gaps).size).toBeGreaterThan(10);
    await cleanup.stop();
    expect(cleanup.started).toBe(false);
    const count = asked.length;
    await vi.advanceTimersByTimeAsync(10 * minute);
    expect(asked.length).toBe(count);
    cleanup.start();
    await vi.advanceTimersByTimeAsync(2 * minute);
    expect(asked.length).toBeGreaterThan(count);
    await cleanup.stop();
  });

  it('reports what fails and goes on', async () => {
    const error = new SessionStoreUnavailableError('unreachable', 'gone');
    const { asked, store } = watched(() => Promise.reject(error));
    const failures: BackgroundFailure[] = [];
    const onFailure = (failure: BackgroundFailure): never => {
      failures.push(failure);
      throw new Error('the report fails too');
    };
    const config = { cleanupIntervalS: 60 };
    const cleanup = new SessionCleanupScheduler({ store, config }, { onFailure });
    cleanup.start();
    await vi.advanceTimersByTimeAsync(5 * minute);
    expect(asked.length).toBeGreaterThanOrEqual(4);
    expect(failures.length).toBe(asked.length);
    expect(failures[0]).toEqual({ task: 'sweep', sessionId: null, error });
    await cleanup.stop();
    await expect(cleanup.sweep()).rejects.toBe(error);
  });

  it('runs by itself until the sessions are closed', async () => {
    const { asked, store } = watched();
    const sessions = await createSessions({ cleanupIntervalS: 60 }, { store });
    expect(sessions.cleanup.started).toBe(true);
    await vi.advanceTimersByTimeAsync(2 * minute);
    expect(asked.length).toBeGreaterThan(0);
    await sessions.close();
    expect(sessions.cleanup.started).toBe(false);
    const count = asked.length;
    await vi.advanceTimersByTimeAsync(10 * minute);
    expect(asked.length).toBe(count);
  });
});

describe('stopping', () => {
  it('waits for the sweep that is on its way, which ends early', async () => {
    const inner = new InMemorySessionStore({ clock: () => now });
    let now = Date.now();
    const sessions = await createSessions({ maxSessionsPerUser: 1_000 }, { store: inner });
    for (let i = 0; i < 300; i++) await sessions.manager.create({ userId: 'u' });
    now += 86_400_000;
    let marks = 0;
    let stopped: Promise<void> | undefined;
    const store = new Proxy(inner, {
      get:
        (target, name: keyof SessionStore) =>
        async (...args: unknown[]) => {
          if (name === 'commit') {
            marks += 1;
            stopped ??= cleanup.stop();
          }
          return Reflect.apply(target[name], target, args);
        },
    });
    const cleanup = new SessionCleanupScheduler({ store });
    const { expired } = await cleanup.sweep();
    await stopped;
    expect(expired).toBe(marks);
    expect(marks).toBeGreaterThan(0);
    expect(marks).toBeLessThan(300);
    const rest = 300 - marks;
    expect((await cleanup.sweep()).expired).toBe(rest);
    await sessions.close();
  });
});

it('refuses options that are none', () => {
  const store = new InMemorySessionStore();
  for (const options of [{ clock: 7 }, { onFailure: 'x' }]) {
    expect(() => new SessionCleanupScheduler({ store }, options as never)).toThrow(
      SessionInputError,
    );
  }
  expect(() => new SessionCleanupScheduler({} as never)).toThrow(SessionInputError);
});
