import { findRepeat } from './append-turns.ts';
import { CommitWork } from './commit-work.ts';
import { judge } from './judge.ts';
import { recallOperation } from './operations.ts';
import type { Commit, CommitResult } from './port.ts';
import {
  isVisible,
  type StoredSession,
  type StoreTransaction,
  toSessionHead,
  writeRecords,
} from './transaction.ts';

/**
 * `SessionStore.commit` for engines with a synchronous transaction. Refuses before it writes; the one write
 * that can still say no, a turn whose id is taken, comes first. Must run inside one transaction of the engine, which
 * is undone if this throws.
 */
export function commitIn(tx: StoreTransaction, sessionId: string, commit: Commit): CommitResult {
  const session = tx.session(sessionId);
  if (session?.status === 'deleted' && commit.guards?.tombstone === true) {
    return commitToTombstone(tx, session, commit);
  }
  if (!isVisible(session, commit.guards?.owner)) return { refused: 'unknown' };
  if (commit.operation !== undefined) {
    const before = recallOperation(tx, session, commit.operation);
    if (before !== null) return before;
  }
  const judged = judge(tx, session, commit);
  const turns = commit.append?.turns ?? [];
  // One new turn, and nothing before it, is the common case: the write itself then finds the repeat.
  const isFirst = turns.length === 1 && !isMove(commit) && judged.refusal === null;
  if (turns.length > 0 && !isFirst) {
    const repeat = findRepeat(tx, session, turns);
    if (repeat !== null) return repeat;
  }
  if (judged.refusal !== null) return judged.refusal;

  const work = new CommitWork(tx, session, commit);
  return work.run(judged.variables);
}

/** Whether something is written before the turns are. */
function isMove({ pointer, rebase, timeline }: Commit): boolean {
  return pointer !== undefined || rebase !== undefined || timeline !== undefined;
}

/** Holds are written into and released from what is left of a deleted session; the sweep then looks again. */
function commitToTombstone(
  tx: StoreTransaction,
  session: StoredSession,
  commit: Commit,
): CommitResult {
  const { refusal } = judge(tx, session, commit);
  if (refusal !== null) return refusal;
  writeRecords(tx, session, commit.records ?? []);
  tx.putSession({ ...session, dueAt: tx.now });
  const head = toSessionHead(session, tx.now);
  return { session: head, turns: [], checkpoints: [], replayed: false };
}
