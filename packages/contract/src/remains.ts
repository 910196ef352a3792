import assert from 'node:assert/strict';
import type { SessionStore, Sessions } from '@lexigram/ai-session';
import { range } from './many.ts';
import { addTexts, texts } from './reading.ts';

/** The turns that a store still has on a session's timelines, whoever may read them. */
export async function leftTurns(
  store: SessionStore,
  sessionId: string,
): Promise<readonly string[]> {
  const own = range(1, 9).map((n) => ({ timelineId: `${sessionId}.${n}`, from: 1, to: 1_000 }));
  const rows = await store.turns(own, { limit: 1_000, order: 'asc' });
  return rows.map(({ body }) => (JSON.parse(body) as { content: string }).content);
}

/** Asserts that a deleted session left nothing at the port. */
export async function nothingLeft(store: SessionStore, sessionId: string): Promise<void> {
  assert.equal(await store.session(sessionId), null);
  assert.deepEqual(await leftTurns(store, sessionId), []);
  assert.deepEqual(await store.timelines(range(1, 3).map((n) => `${sessionId}.${n}`)), [
    null,
    null,
    null,
  ]);
  for (const kind of ['metadata', 'checkpoint', 'move', 'redo', 'operation', 'branch', 'hold']) {
    assert.deepEqual(await store.records(sessionId, kind, { limit: 100 }), [], kind);
  }
  const far = Number.MAX_SAFE_INTEGER;
  const at = { timelineId: `${sessionId}.1`, position: far, revision: far };
  assert.equal(await store.variables(at), null);
}

/** A session with something of each kind, on two timelines. */
export async function lived(sessions: Sessions): Promise<string> {
  const { checkpoints, manager } = sessions;
  const { sessionId } = await manager.create({
    userId: 'u',
    metadata: { m: 1 },
    variables: { v: 1 },
  });
  await addTexts(manager, sessionId, texts(4));
  await checkpoints.create(sessionId, { label: 'here' });
  await manager.setVariables(sessionId, { v: 2 }, { operationId: 'op' });
  await manager.rewind(sessionId, { toSeq: 2 });
  await addTexts(manager, sessionId, ['x', 'y']);
  return sessionId;
}
