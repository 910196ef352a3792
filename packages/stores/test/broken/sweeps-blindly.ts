import type { SessionStore } from '@lexigram/ai-session';

/** A sweeper without the guard: it ends what was due when it looked, whatever happened since. */
export async function sweepBlindly(store: SessionStore): Promise<number> {
  const items = await store.due({ limit: 100_000 });
  const done = await Promise.all(
    items.map(async ({ due, sessionId }) => {
      if (due !== 'expiry') return false;
      await new Promise((resolve) => setImmediate(resolve));
      const result = await store.commit(sessionId, {
        status: { to: 'closed', reason: 'expired' },
        event: { type: 'expired' },
      });
      return result.refused === undefined;
    }),
  );
  return done.filter(Boolean).length;
}
