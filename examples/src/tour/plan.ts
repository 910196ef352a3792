import { createHash } from 'node:crypto';
import { isSessionId, limits, type TurnInput } from '@lexigram/ai-session';
import type { Conversation } from '../conversations/read.ts';
import type { ConversationTurn } from '../conversations/turns.ts';

/** A row of turns that becomes a session, and the rows that branch off from it. */
export interface Path {
  /** Null for the session that the conversation starts in. */
  readonly branchName: string | null;
  /** The turn after which it was forked; null for none: an empty history. */
  readonly forkAt: string | null;
  readonly turns: readonly TurnInput[];
  readonly branches: readonly Path[];
}

/**
 * A conversation as a session with branches. The longest way through a tree is the session itself, and of what is
 * left at each turn the longest way is one branch: so every turn is written once, and each leaf is the end of one
 * session. Of ways of the same length the first one is taken.
 */
export function planOf(conversation: Conversation): Path {
  const { turns } = conversation;
  const children = new Map<string | null, ConversationTurn[]>();
  for (const turn of turns) {
    const siblings = children.get(turn.parent);
    if (siblings === undefined) children.set(turn.parent, [turn]);
    else siblings.push(turn);
  }
  const heights = new Map<string, number>();
  for (const { parent, turn } of turns.toReversed()) {
    const height = heights.get(turn.turnId) ?? 1;
    heights.set(turn.turnId, height);
    if (parent !== null) heights.set(parent, Math.max(heights.get(parent) ?? 1, height + 1));
  }
  const longest = (from: string | null): ConversationTurn | undefined => {
    let found: ConversationTurn | undefined;
    for (const child of children.get(from) ?? []) {
      const height = heights.get(child.turn.turnId) ?? 0;
      if (found === undefined || height > (heights.get(found.turn.turnId) ?? 0)) found = child;
    }
    return found;
  };
  let branchNumber = 1;
  const follow = (first: ConversationTurn | undefined, branchName: string | null): Path => {
    const own: ConversationTurn[] = [];
    const branches: Path[] = [];
    for (let turn = first; turn !== undefined; turn = longest(turn.turn.turnId)) own.push(turn);
    const forks = [...(branchName === null ? [null] : []), ...own.map(({ turn }) => turn.turnId)];
    for (const fork of forks) {
      const kept = longest(fork);
      for (const child of children.get(fork) ?? []) {
        if (child !== kept) branches.push(follow(child, `alternative-${branchNumber++}`));
      }
    }
    const forkAt = first?.parent ?? null;
    return { branchName, forkAt, turns: own.map(({ turn }) => turn), branches };
  };
  return follow(longest(null), null);
}

/** How many branches a path has, and theirs. */
export function countBranches(path: Path): number {
  return path.branches.reduce((sum, branch) => sum + 1 + countBranches(branch), 0);
}

/** The session that a conversation becomes: the same one in every run. */
export function sessionIdOf(conversationId: string): string {
  const usable: boolean = isSessionId(conversationId);
  if (usable) return conversationId;
  const hash = createHash('sha256').update(conversationId).digest('hex').slice(0, 12);
  const readable = conversationId.replaceAll(/[^A-Za-z0-9_-]+/g, '-').slice(0, 100);
  return `${readable}-${hash}`;
}

/** A path's turns in batches that fit into one call each, always the same ones. */
export function* batchesOf(turns: readonly TurnInput[]): Generator<readonly TurnInput[]> {
  let batch: TurnInput[] = [];
  let bytes = 0;
  for (const turn of turns) {
    const size = Buffer.byteLength(JSON.stringify(turn));
    const full = batch.length === limits.batchTurns || bytes + size > limits.batchBytes;
    if (full && batch.length > 0) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(turn);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
