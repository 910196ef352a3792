import { type MemoryConsolidator, SessionManager, type SessionStore } from '@lexigram/ai-session';

/** Runs a consolidator without a lease: whatever was owed when it looked. */
export async function consolidatesBlindly(
  store: SessionStore,
  consolidator: MemoryConsolidator,
): Promise<{ readonly done: number; readonly failed: number }> {
  const manager = new SessionManager({ store });
  const items = await store.due({ kind: 'consolidation', limit: 1_000 });
  for (const { sessionId } of items) {
    const session = await manager.getState(sessionId);
    async function* entries() {
      for await (const turn of manager.turns(sessionId)) {
        yield { sessionId, tenantId: null, userId: session.userId, turn };
      }
    }
    const { signal } = new AbortController();
    await consolidator.consolidate(entries(), { session, attempt: 1, token: 1, signal });
    const value = JSON.stringify({ state: 'done', attempts: 1, lastError: null, memories: 0 });
    await store.commit(sessionId, { records: [{ kind: 'consolidation', key: '', value }] });
  }
  return { done: items.length, failed: 0 };
}
