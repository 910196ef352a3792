import { timelineId } from '../session/ids.ts';
import { checkpointVictim } from './checkpoints.ts';
import type { AutomaticCheckpoints, Expiry, NewTurn, Refusal } from './port.ts';
import type { TurnRow } from './rows.ts';
import { type StoredSession, type StoreTransaction, toSessionHead } from './transaction.ts';

/** A session on its way to its next revision. */
export type Draft = { -readonly [K in keyof StoredSession]: StoredSession[K] };

/** What appending turns did. */
export interface Appending {
  /** The first id that is taken, or null. Nothing was written if it is that of the first turn. */
  readonly taken: string | null;
  readonly turns: readonly { readonly seq: number; readonly at: number }[];
  /** The turns at which an automatic checkpoint stands. */
  readonly marked: readonly TurnRow[];
  /** Keys of the records of checkpoints that have to make room. */
  readonly victims: readonly string[];
}

/**
 * Adds turns to the current timeline of `draft` and moves its head and sums along. An automatic checkpoint is a
 * mark on its turn, no row of its own.
 */
export function appendTurns(
  tx: StoreTransaction,
  draft: Draft,
  turns: readonly NewTurn[],
  checkpoints: AutomaticCheckpoints | undefined,
): Appending {
  const id = timelineId(draft.sessionId, draft.timeline);
  const added: { seq: number; at: number }[] = [];
  const marked: TurnRow[] = [];
  const victims: string[] = [];
  for (const turn of turns) {
    draft.seq += 1;
    draft.turnId = turn.turnId;
    draft.tokens += turn.tokens;
    draft.cost += turn.cost;
    draft.lifetimeTurns += 1;
    draft.lifetimeTokens += turn.tokens;
    draft.lifetimeCost += turn.cost;
    const at = turn.at ?? tx.now;
    const crosses = checkpoints !== undefined && draft.seq % checkpoints.every === 0;
    const n = crosses ? numberCheckpoint(tx, draft, checkpoints.max, victims) : null;
    const row = turnRow(id, draft, turn, at, draft.revision, n);
    if (!tx.addTurn(draft, row)) return { taken: turn.turnId, turns: added, marked, victims };
    added.push({ seq: draft.seq, at });
    if (n !== null) marked.push(row);
  }
  return { taken: null, turns: added, marked, victims };
}

/**
 * Counts one more checkpoint and answers its number; null if all are labelled and none makes room. A record that
 * makes room is noted in `victims`, not deleted yet. Of one batch that is one at most: the next to make room is
 * the mark that it made room for.
 */
export function numberCheckpoint(
  tx: StoreTransaction,
  draft: Draft,
  max: number,
  victims: string[],
): number | null {
  if (draft.checkpointsHeld >= max) {
    const victim = checkpointVictim(tx, draft);
    if (victim === null) return null;
    if ('n' in victim) draft.checkpointFloor = victim.n;
    else victims.push(victim.key);
    draft.checkpointsHeld -= 1;
  }
  draft.checkpoints += 1;
  draft.checkpointsHeld += 1;
  return draft.checkpoints;
}

/** A turn as it is stored, behind the sums of what comes before it. */
export function turnRow(
  id: string,
  end: { readonly seq: number; readonly tokens: number; readonly cost: number },
  turn: NewTurn,
  at: number,
  revision: number | null,
  checkpoint: number | null,
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
    checkpoint,
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
