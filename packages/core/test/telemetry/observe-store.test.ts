import { describe, expect, it } from 'vitest';
import { SessionContext } from '../../src/context/session-context.ts';
import { createSessions } from '../../src/create-sessions.ts';
import { InMemorySessionStore } from '../../src/store/memory.ts';
import { observeStore, type StoreObserver } from '../../src/telemetry/observe-store.ts';
import type { StoreCall } from '../../src/telemetry/store-call.ts';

/** Keeps the calls in the order in which they begin, under a name. */
function keep(name: string, calls: string[], wanted = true): StoreObserver {
  const observe = (call: StoreCall, next: () => Promise<unknown>) => {
    calls.push(`${name} ${call.name}`);
    return next();
  };
  return { wanted: () => wanted, observe };
}

describe('observeStore', () => {
  it('answers the store itself if nobody observes', () => {
    const store = new InMemorySessionStore();
    expect(observeStore(store, [])).toBe(store);
  });

  it('goes round each call that waits, in order, and answers what the store answers', async () => {
    const calls: string[] = [];
    const store = new InMemorySessionStore();
    const page = Object.freeze([]);
    Object.defineProperty(store, 'list', { value: () => Promise.resolve(page) });
    const observers = [keep('a', calls), keep('off', calls, false), keep('b', calls)];
    const observed = observeStore(Object.freeze(store), observers);
    expect(await observed.list({ limit: 1 })).toBe(page);
    expect(await observed.session('unknown')).toBeNull();
    expect(calls).toEqual(['a read_list', 'b read_list', 'a read_session', 'b read_session']);
    expect(observed).toBeInstanceOf(InMemorySessionStore);
    expect(observed.list).toBe(observed.list);
  });

  it('leaves alone what answers at once, and the end', async () => {
    const calls: string[] = [];
    const observed = observeStore(new InMemorySessionStore(), [keep('a', calls)]);
    expect(observed.watch(() => {})).toBeTypeOf('function');
    await observed.close();
    await expect(observed.session('unknown')).rejects.toThrow('closed');
    expect(calls).toEqual(['a read_session']);
  });

  it('leaves services of one store together, whoever observes', async () => {
    const store = new InMemorySessionStore();
    const nothing = () => {};
    const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
    await using sessions = await createSessions({}, { store, logger });
    const state = await sessions.manager.create({ userId: 'ada' });
    const context = new SessionContext({ store });
    await sessions.context.run(state.sessionId, async () => {
      expect(context.sessionId).toBe(state.sessionId);
    });
    expect(sessions.store).toBe(store);
  });

  it('answers refusals as they are, and throws what the store throws', async () => {
    const store = new InMemorySessionStore();
    const error = new Error('broken');
    Object.defineProperty(store, 'list', { value: () => Promise.reject(error) });
    const observed = observeStore(store, [keep('a', [])]);
    expect(await observed.commit('unknown', {})).toEqual({ refused: 'unknown' });
    await expect(observed.list({ limit: 1 })).rejects.toBe(error);
  });
});
