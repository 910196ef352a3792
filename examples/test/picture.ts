import type { SessionState, Sessions } from '@lexigram/ai-session';

/** All that the tour made, without what differs from run to run: generated ids, times, revisions. */
export async function pictureOf(sessions: Sessions): Promise<readonly object[]> {
  const states = await allSessions(sessions);
  const names = new Map(states.map((state) => [state.sessionId, nameOf(state)]));
  const picture: object[] = [];
  for (const state of states) {
    const { branchName, closedReason, forkSeq, parentSessionId, sessionId, status } = state;
    const { lifetimeTurns, lifetimeTokens, lifetimeCost } =
      await sessions.analytics.session(sessionId);
    const turns: string[] = [];
    for await (const { turnId } of sessions.manager.turns(sessionId)) turns.push(turnId);
    const checkpoints = await sessions.checkpoints.list(sessionId);
    picture.push({
      sessionId: branchName === null ? sessionId : null,
      ...{ branchName, forkSeq, status, closedReason, turns },
      parent: parentSessionId === null ? null : names.get(parentSessionId),
      ...{ lifetimeTurns, lifetimeTokens, lifetimeCost },
      checkpoints: checkpoints.items.map(({ automatic, turnCount }) => [automatic, turnCount]),
      metadata: state.metadata,
    });
  }
  return picture.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** Every session there is. */
export async function allSessions({ manager }: Sessions): Promise<readonly SessionState[]> {
  const states: SessionState[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await manager.list({ limit: 1_000, cursor });
    states.push(...page.items);
    if (page.nextCursor === null) return states;
    cursor = page.nextCursor;
  }
}

function nameOf({ branchName, metadata, sessionId }: SessionState): string {
  return branchName === null ? sessionId : `${String(metadata['title'])}: ${branchName}`;
}
