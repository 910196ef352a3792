import type { SessionState, Sessions } from '@lexigram/ai-session';
import type { Family } from './draw-tree.ts';
import { saidIn, textIn } from './said.ts';

/** Reads a session with its branches, and theirs. */
export async function readFamily(sessions: Sessions, sessionId: string): Promise<Family> {
  return familyOf(sessions, await sessions.manager.getState(sessionId));
}

async function familyOf(sessions: Sessions, state: SessionState): Promise<Family> {
  const { branchName, forkSeq, metadata, sessionId, turnCount } = state;
  const branches: Family[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await sessions.branches.list(sessionId, { cursor });
    for (const branch of page.items) branches.push(await familyOf(sessions, branch));
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  const title = metadata['title'];
  return {
    name: branchName ?? (typeof title === 'string' ? title : sessionId),
    turnCount,
    forkSeq,
    opening: await openingOf(sessions, state),
    branches,
  };
}

/** The first words among the turns that a branch did not take over, or the tools that it begins with. */
async function openingOf(sessions: Sessions, state: SessionState): Promise<string> {
  const from = (state.forkSeq ?? 0) + 1;
  let calls = '';
  for await (const turn of sessions.manager.turns(state.sessionId, { from, limit: 8 })) {
    const text = textIn(turn);
    if (text !== '' && turn.role !== 'tool') return `“${text}”`;
    if (calls === '') calls = saidIn(turn);
  }
  return calls;
}
