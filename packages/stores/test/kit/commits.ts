import type { Commit, NewSession, NewTurn } from '@lexigram/ai-session/store';

/** The smallest session that the port takes. */
export function newSession(sessionId: string, more?: Partial<NewSession>): NewSession {
  const timelineId = `${sessionId}.1`;
  return {
    sessionId,
    owner: { tenantId: null, userId: 'u' },
    timeline: { timelineId, base: null, lineage: [], chunks: {}, root: timelineId },
    parent: null,
    metadata: '{}',
    variables: null,
    turns: [],
    expiry: { ttlMs: null, maxAgeMs: null },
    ownerCap: null,
    ...more,
  };
}

function newTurn(turnId: string): NewTurn {
  const body = JSON.stringify({ role: 'user', content: turnId });
  return { turnId, chosen: true, body, tokens: 0, cost: 0, at: null };
}

/** A commit that adds turns to the current timeline. */
export function appending(...turnIds: readonly string[]): Commit {
  return { append: { turns: turnIds.map(newTurn) } };
}
