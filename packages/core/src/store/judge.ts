import { timelineId } from '../session/ids.ts';
import { checkpointVictim, recordOrMark } from './checkpoints.ts';
import type { Append, Commit, Expected, Pointer, Refusal } from './port.ts';
import {
  meetsGuard,
  type StoredSession,
  type StoreTransaction,
  statusAt,
  toSessionHead,
  variablesOf,
} from './transaction.ts';
import { patchVariables } from './variables.ts';

/** The verdict on a commit, and the variables as they will be if it patches them. */
export interface Judgement {
  readonly refusal: Refusal | null;
  readonly variables: string | null;
}

const accepted: Judgement = { refusal: null, variables: null };

/** Judges a commit on a session that is there: ended or suspended → expected → cap. Reads only. */
export function judge(tx: StoreTransaction, session: StoredSession, commit: Commit): Judgement {
  const refusal =
    judgeStatus(tx, session, commit) ??
    judgeExpected(tx, session, commit) ??
    judgeCaps(tx, session, commit);
  if (refusal !== null) return { refusal, variables: null };
  return commit.patch === undefined ? accepted : judgePatch(tx, session, commit);
}

function judgeStatus(tx: StoreTransaction, session: StoredSession, commit: Commit): Refusal | null {
  const status = statusAt(session, tx.now);
  const allowed = commit.guards?.status;
  if (allowed !== undefined && status !== 'deleted' && !allowed.includes(status)) {
    // What filled its cap of turns answers for the cap, not for the end that came with it.
    const cap = commit.append?.cap;
    const seq = session.seq + (commit.append?.turns.length ?? 0);
    if (cap !== undefined && session.closedReason === 'turn_limit' && seq > cap.turns) {
      return refuseCap(tx, session, 'turns', cap.turns, seq);
    }
    return { refused: 'status', session: toSessionHead(session, tx.now) };
  }
  const to = commit.status?.to;
  if (to === 'expired' && (status !== 'expired' || session.status === 'expired')) {
    return { refused: 'status', session: toSessionHead(session, tx.now) };
  }
  return null;
}

function judgeExpected(
  tx: StoreTransaction,
  session: StoredSession,
  commit: Commit,
): Refusal | null {
  const what = unexpected(tx, session, commit);
  return what === null
    ? null
    : { refused: 'expected', what, session: toSessionHead(session, tx.now) };
}

function unexpected(tx: StoreTransaction, session: StoredSession, commit: Commit): Expected | null {
  const { guards, timeline } = commit;
  if (guards !== undefined) {
    const { head, seq, revision, moves } = guards;
    if (
      head !== undefined &&
      (head.seq !== session.seq ||
        head.turnId !== session.turnId ||
        head.timelineId !== timelineId(session.sessionId, session.timeline))
    ) {
      return 'head';
    }
    if (seq !== undefined && seq !== session.seq) return 'seq';
    if (revision !== undefined && revision !== session.revision) return 'revision';
    if (moves !== undefined && moves !== session.moves) return 'moves';
    for (const guard of guards.records ?? []) {
      const record = recordOrMark(tx, session, guard.kind, guard.key);
      if (!meetsGuard(record, guard, tx.now)) return 'record';
    }
  }
  if (timeline !== undefined) {
    const next = timelineId(session.sessionId, session.timelines + 1);
    if (timeline.timelineId !== next) return 'timeline';
  }
  return null;
}

function judgeCaps(tx: StoreTransaction, session: StoredSession, commit: Commit): Refusal | null {
  const { append, checkpoint, guards } = commit;
  if (append !== undefined && append.timelineId === undefined) {
    const refusal = judgeAppend(tx, session, commit, append);
    if (refusal !== null) return refusal;
  }
  if (commit.pointer !== undefined) {
    const refusal = judgePointer(tx, session, commit.pointer);
    if (refusal !== null) return refusal;
  }
  for (const { kind, max } of guards?.counts ?? []) {
    const written = (commit.records ?? []).filter(
      (write) =>
        write.kind === kind &&
        !('delete' in write) &&
        tx.record(session, kind, write.key) === undefined,
    ).length;
    const count = tx.countRecords(session, kind) + written;
    if (count > max) return refuseCap(tx, session, 'count', max, count);
  }
  if (checkpoint !== undefined) {
    if (checkpoint.label !== null) {
      const record = tx.labelled(session, 'checkpoint', checkpoint.label);
      if (record !== undefined) {
        return { refused: 'label', session: toSessionHead(session, tx.now), record };
      }
    }
    const held = session.checkpointsHeld;
    if (held >= checkpoint.max && checkpointVictim(tx, session) === null) {
      return refuseCap(tx, session, 'checkpoints', checkpoint.max, held + 1);
    }
  }
  return null;
}

function judgePointer(
  tx: StoreTransaction,
  session: StoredSession,
  { cap, to, wrote }: Pointer,
): Refusal | null {
  if (cap === undefined) return null;
  if (to.seq > cap.turns) return refuseCap(tx, session, 'turns', cap.turns, to.seq);
  const written = session.lifetimeTurns + (wrote?.turns ?? 0);
  if (written > cap.written) return refuseCap(tx, session, 'written', cap.written, written);
  const most = Math.max(to.tokens, to.cost);
  return most <= Number.MAX_SAFE_INTEGER
    ? null
    : refuseCap(tx, session, 'total', Number.MAX_SAFE_INTEGER, most);
}

function judgeAppend(
  tx: StoreTransaction,
  session: StoredSession,
  commit: Commit,
  append: Append,
): Refusal | null {
  const count = append.turns.length;
  const { cap } = append;
  if (cap !== undefined) {
    const seq = (commit.pointer?.to.seq ?? session.seq) + count;
    if (seq > cap.turns) return refuseCap(tx, session, 'turns', cap.turns, seq);
    const written = session.lifetimeTurns + count;
    if (written > cap.written) return refuseCap(tx, session, 'written', cap.written, written);
  }
  const refusal = judgeBudget(tx, session, append);
  if (refusal !== null) return refusal;
  // Sums stay exact: past 2^53 a double would round them.
  let tokens = Math.max(session.lifetimeTokens, session.tokens);
  let cost = Math.max(session.lifetimeCost, session.cost);
  for (const turn of append.turns) {
    tokens += turn.tokens;
    cost += turn.cost;
  }
  const most = Math.max(tokens, cost);
  return most <= Number.MAX_SAFE_INTEGER
    ? null
    : refuseCap(tx, session, 'total', Number.MAX_SAFE_INTEGER, most);
}

/** A turn's cost is known when the money is gone: what spends the rest is kept, what comes after is refused. */
function judgeBudget(
  tx: StoreTransaction,
  session: StoredSession,
  { budget }: Append,
): Refusal | null {
  if (budget === undefined) return null;
  const { lifetimeCost } = session;
  if (budget.session !== null && lifetimeCost >= budget.session) {
    return refuseCap(tx, session, 'sessionCost', budget.session, lifetimeCost);
  }
  if (budget.owner === null) return null;
  const spent = tx.spent(session);
  return spent < budget.owner ? null : refuseCap(tx, session, 'ownerCost', budget.owner, spent);
}

function judgePatch(tx: StoreTransaction, session: StoredSession, commit: Commit): Judgement {
  const { patch, pointer } = commit;
  if (patch === undefined) return accepted;
  const at = pointer === undefined ? variablesOf(session) : pointer.to.variables;
  const current = at === null ? null : (tx.variables(at)?.json ?? null);
  const { json, bytes, keys } = patchVariables(current, patch);
  const refusal =
    keys > patch.maxKeys
      ? refuseCap(tx, session, 'variablesKeys', patch.maxKeys, keys)
      : bytes > patch.maxBytes
        ? refuseCap(tx, session, 'variablesBytes', patch.maxBytes, bytes)
        : null;
  return { refusal, variables: json };
}

function refuseCap(
  tx: StoreTransaction,
  session: StoredSession,
  cap: Extract<Refusal, { refused: 'cap' }>['cap'],
  max: number,
  actual: number,
): Refusal {
  return { refused: 'cap', cap, max, actual, session: toSessionHead(session, tx.now) };
}
