import {
  SessionConflictError,
  SessionNotFoundError,
  type SessionState,
  type Sessions,
} from '@lexigram/ai-session';
import type { Conversation } from '../conversations/read.ts';
import { batchesOf, countBranches, type Path, planOf, sessionIdOf } from './plan.ts';

/** Whose sessions the tour makes. */
export const tourUser = 'tour';

/** What an import found and did. */
export interface Imported {
  readonly conversations: number;
  readonly branches: number;
  readonly turns: number;
  /** How many of the turns were written now; the others were there. */
  readonly written: number;
  /** Conversations whose sessions somebody deleted: they stay deleted. */
  readonly deleted: readonly string[];
}

/** Hears how many more turns are there, and of which conversation. */
export type OnTurns = (turns: number, conversation: Conversation) => void;

/**
 * Brings conversations into sessions: a row of turns as one session, a tree as a session with branches. May be
 * broken off and run again, also by several at once: what is there already is not written a second time.
 */
export async function importConversations(
  sessions: Sessions,
  conversations: readonly Conversation[],
  onTurns: OnTurns = () => {},
): Promise<Imported> {
  let branches = 0;
  let turns = 0;
  let written = 0;
  const deleted: string[] = [];
  for (const conversation of conversations) {
    const session = await findOrCreate(sessions, conversation);
    if (session === null) {
      deleted.push(conversation.id);
      onTurns(conversation.turns.length, conversation);
      continue;
    }
    const plan = planOf(conversation);
    written += await writePath(sessions, session.sessionId, plan, (added) =>
      onTurns(added, conversation),
    );
    branches += countBranches(plan);
    turns += conversation.turns.length;
  }
  const kept = conversations.length - deleted.length;
  return { conversations: kept, branches, turns, written, deleted };
}

/** The session of a conversation, or null if it was deleted: its id is not used again. */
async function findOrCreate(
  { manager }: Sessions,
  conversation: Conversation,
): Promise<SessionState | null> {
  const sessionId = sessionIdOf(conversation.id);
  const { kind, lang, license, parentConversation, source, sourcePath, title } = conversation;
  try {
    return await manager.create({
      userId: tourUser,
      sessionId,
      metadata: {
        title,
        kind,
        source,
        sourcePath,
        license,
        ...(lang !== undefined && { lang }),
        ...(parentConversation !== undefined && { parentConversation }),
      },
    });
  } catch (error) {
    if (!(error instanceof SessionConflictError && error.reason === 'session')) throw error;
  }
  try {
    return await manager.getState(sessionId);
  } catch (error) {
    if (error instanceof SessionNotFoundError) return null;
    throw error;
  }
}

/** Writes a path's turns, then forks and writes its branches; answers how many turns were new. */
async function writePath(
  sessions: Sessions,
  sessionId: string,
  path: Path,
  onTurns: (turns: number) => void,
): Promise<number> {
  let written = 0;
  for (const batch of batchesOf(path.turns)) {
    const { duplicate } = await sessions.manager.addTurns(sessionId, batch);
    if (!duplicate) written += batch.length;
    onTurns(batch.length);
  }
  for (const branch of path.branches) {
    const name = branch.branchName as string;
    const branchId =
      (await branchNamed(sessions, sessionId, name)) ??
      (await fork(sessions, sessionId, name, branch.forkAt));
    written += await writePath(sessions, branchId, branch, onTurns);
  }
  return written;
}

/** The id of a session's branch with this name, or null. */
export async function branchNamed(
  { branches }: Sessions,
  sessionId: string,
  name: string,
): Promise<string | null> {
  for (let cursor: string | undefined; ; ) {
    const page = await branches.list(sessionId, { cursor });
    const branch = page.items.find(({ branchName }) => branchName === name);
    if (branch !== undefined) return branch.sessionId;
    if (page.nextCursor === null) return null;
    cursor = page.nextCursor;
  }
}

/** The operation's id makes one branch of it when two runs get here at once. */
async function fork(
  { branches }: Sessions,
  sessionId: string,
  name: string,
  forkAt: string | null,
): Promise<string> {
  const place = forkAt === null ? { atSeq: 0 } : { atTurn: forkAt };
  const branch = await branches.fork(sessionId, name, {
    ...place,
    operationId: `tour-${sessionId}-${name}`,
  });
  return branch.sessionId;
}
