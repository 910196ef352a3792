import { timelineId } from '../session/ids.ts';
import type { Expiry, NewTurn, Refusal } from './port.ts';
import type { TurnRow } from './rows.ts';
import { type StoredSession, type StoreTransaction, toSessionHead } from './transaction.ts';

/** A session on its way to its next revision. */
export type Draft = { -readonly [K in keyof StoredSession]: StoredSession[K] };

/**
 * Adds turns to the current timeline of `draft` and moves its head and sums along; answers the first id that
 * is taken, or null.
 */
export function appendTurns(
  tx: StoreTransaction,
  draft: Draft,
  turns: readonly NewTurn[],
  onTurn: (at: number) => void,
): string | null {
  const id = timelineId(draft.sessionId, draft.timeline);
  for (const turn of turns) {
    draft.seq += 1;
    draft.turnId = turn.turnId;
    draft.tokens += turn.tokens;
    draft.cost += turn.cost;
    draft.lifetimeTurns += 1;
    draft.lifetimeTokens += turn.tokens;
    draft.lifetimeCost += turn.cost;
    const at = turn.at ?? tx.now;
    if (!tx.addTurn(draft, turnRow(id, draft, turn, at, draft.revision))) return turn.turnId;
    onTurn(at);
  }
  return null;
}

/** A turn as it is stored, behind the sums of what comes before it. */
export function turnRow(
  id: string,
  end: { readonly seq: number; readonly tokens: number; readonly cost: number },
  turn: NewTurn,
  at: number,
  revision: number | null,
): TurnRow {
  return {
    timelineId: id,
    seq: end.seq,
    turnId: turn.turnId,
    body: turn.body,
    at,
    revision,
    tokens: end.tokens,
    cost: end.cost,
    origin: turn.origin ?? null,
  };
}

/** When a session that changes now runs out. */
export function expiryAt(expiry: Expiry, createdAt: number, now: number): number | null {
  const idle = expiry.ttlMs === null ? Number.POSITIVE_INFINITY : now + expiry.ttlMs;
  const absolute =
    expiry.maxAgeMs === null ? Number.POSITIVE_INFINITY : createdAt + expiry.maxAgeMs;
  const at = Math.min(idle, absolute);
  return at === Number.POSITIVE_INFINITY ? null : at;
}

/** The turns of a batch that the session wrote before, or null if it wrote none of them. */
export function findRepeat(
  tx: StoreTransaction,
  session: StoredSession,
  turns: readonly NewTurn[],
): Refusal | null {
  const found = turns.map((turn) =>
    turn.chosen ? (tx.ownTurn(session, turn.turnId) ?? null) : null,
  );
  if (found.every((turn) => turn === null)) return null;
  return { refused: 'repeat', session: toSessionHead(session, tx.now), turns: found };
}
