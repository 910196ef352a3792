import { appendTurns, type Draft, expiryAt } from './append-turns.ts';
import { markRecord } from './checkpoints.ts';
import { createdData, fullData } from './journal-data.ts';
import { recallOperation, rememberOperation } from './operations.ts';
import type { CommitResult, NewSession } from './port.ts';
import { type StoreTransaction, toSessionHead, variablesOf, writeRecords } from './transaction.ts';

/** `SessionStore.create` for engines with a synchronous transaction. Must run inside one. */
export function createIn(tx: StoreTransaction, given: NewSession): CommitResult {
  const there = tx.session(given.sessionId);
  if (there !== undefined) {
    const same = there.tenantId === given.owner.tenantId && there.userId === given.owner.userId;
    const before =
      given.operation !== undefined && same && there.status !== 'deleted'
        ? recallOperation(tx, there, given.operation)
        : null;
    return before ?? { refused: 'exists' };
  }
  if (given.ownerCap !== null) {
    const open = tx.countOpen(given.owner, given.ownerCap);
    if (open >= given.ownerCap) {
      return { refused: 'cap', cap: 'owner', max: given.ownerCap, actual: open + 1, session: null };
    }
  }
  const { base } = given.timeline;
  const first = base ?? { seq: 0, turnId: null, tokens: 0, cost: 0 };
  const empty: Draft = {
    key: 0,
    sessionId: given.sessionId,
    tenantId: given.owner.tenantId,
    userId: given.owner.userId,
    status: 'active',
    timeline: 1,
    seq: first.seq,
    turnId: first.turnId,
    tokens: first.tokens,
    cost: first.cost,
    lifetimeTurns: 0,
    lifetimeTokens: 0,
    lifetimeCost: 0,
    variablesTimeline: given.variables === null ? null : given.timeline.timelineId,
    variablesPosition: first.seq * 2,
    variablesRevision: given.variables === null ? 0 : 1,
    variablesDepth: 0,
    revision: 1,
    moves: 0,
    timelines: 1,
    checkpoints: 0,
    checkpointsHeld: 0,
    checkpointFloor: 0,
    parentSessionId: given.parent?.sessionId ?? null,
    branchName: given.parent?.branchName ?? null,
    forkSeq: given.parent?.forkSeq ?? null,
    createdAt: tx.now,
    updatedAt: tx.now,
    expiresAt: expiryAt(given.expiry, tx.now, tx.now),
    closedReason: null,
    dueAt: expiryAt(given.expiry, tx.now, tx.now),
  };
  const session: Draft = { ...tx.addSession(empty) };
  tx.addTimeline(session, { ...given.timeline, previous: null });
  const { marked, turns } = appendTurns(tx, session, given.turns, given.checkpoints);
  const { cap } = given;
  const full = cap?.onFull === 'close' && given.turns.length > 0 && session.seq >= cap.turns;
  if (full) {
    session.status = 'closed';
    session.closedReason = 'turn_limit';
    session.dueAt = null;
  }
  if (given.turns.length > 0) tx.putSession(session);
  if (given.variables !== null) {
    tx.addVariables(session, {
      at: {
        timelineId: given.timeline.timelineId,
        position: first.seq * 2,
        revision: 1,
      },
      whole: true,
      value: given.variables,
    });
  }
  if (given.metadata !== '{}') {
    tx.putRecord(session, {
      kind: 'metadata',
      key: '',
      version: 1,
      value: given.metadata,
      label: null,
      dueAt: null,
      createdAt: tx.now,
    });
  }
  writeRecords(tx, session, given.records ?? []);
  const entry = { revision: 1, at: tx.now };
  const data = createdData(given.parent);
  tx.addJournal(session, { ...entry, part: 0, type: 'created', data });
  if (full) tx.addJournal(session, { ...entry, part: 1, type: 'closed', data: fullData });
  const outcome = {
    session: toSessionHead(session, tx.now),
    turns,
    checkpoints: marked.map((turn) =>
      markRecord({ turn, createdAt: tx.now, variables: variablesOf(session) }),
    ),
    replayed: false,
  };
  if (given.operation !== undefined) {
    rememberOperation(tx, session, given.operation, outcome);
  }
  return outcome;
}
