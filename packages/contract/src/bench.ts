import assert from 'node:assert/strict';
import { createSessions, type SessionStore } from '@lexigram/ai-session';
import type { LawBench, LawClock, OpenStore } from './law.ts';

/** Runs `work` on a bench of its own over a fresh store, and clears up behind it. */
export async function onBench(
  open: OpenStore,
  full: boolean,
  work: (bench: LawBench) => Promise<void>,
): Promise<void> {
  const clock = createClock();
  const opened = await open({ clock: () => clock.now() });
  let store: SessionStore = opened.store;
  try {
    await work({
      get store() {
        return store;
      },
      clock,
      open: (config = {}) =>
        opened.services === undefined
          ? createSessions(config, { store })
          : opened.services(config, store),
      async reopen() {
        assert.ok(opened.reopen !== undefined, 'the store keeps nothing past its closing');
        await store.close();
        store = await opened.reopen();
      },
      scale: (most, scaled) => (full ? most : scaled),
    });
  } finally {
    await opened.dispose();
  }
}

function createClock(): LawClock {
  let now = Date.UTC(2026, 2, 1, 9, 30);
  return {
    now: () => now,
    advance(ms) {
      now += ms;
    },
  };
}
