import assert from 'node:assert/strict';
import type { SessionStore } from '@lexigram/ai-session';
import type {
  Commit,
  CommitResult,
  Committed,
  NewSession,
  NewTimeline,
  NewTurn,
  Point,
  Refusal,
} from '@lexigram/ai-session/store';

/** Rows as the services would give them to a store, for laws on the port alone. */

export function rawTurn(text: string, more: Partial<NewTurn> = {}): NewTurn {
  const body = JSON.stringify({ role: 'user', content: text });
  return { turnId: text, chosen: true, body, tokens: 0, cost: 0, at: null, ...more };
}

export function rawTimeline(sessionId: string, n: number, base: Point | null = null): NewTimeline {
  const root = base === null ? `${sessionId}.1` : base.timelineId;
  const lineage = base === null ? [] : [{ from: 1, timelineId: base.timelineId, level: 0 }];
  return { timelineId: `${sessionId}.${n}`, base, lineage, chunks: {}, root };
}

/** A session of user `u` without an end. */
export function rawSession(sessionId: string, more: Partial<NewSession> = {}): NewSession {
  return {
    sessionId,
    owner: { tenantId: null, userId: 'u' },
    timeline: rawTimeline(sessionId, 1),
    parent: null,
    metadata: '{}',
    variables: null,
    turns: [],
    expiry: { ttlMs: null, maxAgeMs: null },
    ownerCap: null,
    ...more,
  };
}

/** A session `s` whose first timeline has these turns. */
export async function rawStart(store: SessionStore, turns: readonly string[]): Promise<void> {
  const made = await store.create(
    rawSession('s', { turns: turns.map((text) => rawTurn(text)), metadata: '{"m":1}' }),
  );
  done(made);
}

/** What a commit did; fails if it was refused. */
export function done(result: CommitResult): Committed {
  if (result.refused === undefined) return result;
  assert.fail(`expected a commit, got the refusal ${JSON.stringify(result)}`);
}

/** Why a commit was refused; fails if it was done, or refused for another reason. */
export function refusal<R extends Refusal['refused']>(
  result: CommitResult,
  reason: R,
): Extract<Refusal, { refused: R }> {
  assert.equal(result.refused, reason);
  return result as Extract<Refusal, { refused: R }>;
}

/** Commits to `s`. */
export function commitTo(store: SessionStore): (commit: Commit) => Promise<CommitResult> {
  return (commit) => store.commit('s', commit);
}
