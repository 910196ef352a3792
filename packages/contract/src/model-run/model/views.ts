import type { JsonObject } from '@lexigram/ai-session';
import { OneOf, Verbatim } from '../compare.ts';
import { headOf, type ModelSession, type PlainModel, statusOf } from './session.ts';
import { sumsOf, turnView } from './turn.ts';

/** How many of the last turns a state has; null for a state without turns. */
export type LastTurns = 'all' | number | null;

/** A session's state as a caller must read it. */
export function stateView(
  model: PlainModel,
  session: ModelSession,
  last: LastTurns = null,
): object {
  const { timeline } = session;
  const total = sumsOf(timeline.turns);
  const lifetime = sumsOf(session.own.map((own) => own.turn));
  return {
    sessionId: session.id,
    ...session.owner,
    status: statusOf(model, session),
    head: headOf(session),
    turnCount: timeline.turns.length,
    metadata: verbatimMembers(session.metadata),
    variables: verbatimMembers(timeline.latest.values),
    totalTokens: total.tokens,
    totalCost: total.cost,
    lifetimeTokens: lifetime.tokens,
    lifetimeCost: lifetime.cost,
    parentSessionId: session.parent?.session.id ?? null,
    branchName: session.parent?.branchName ?? null,
    forkSeq: session.parent?.seq ?? null,
    revision: session.revision,
    createdAt: isoTime(session.createdAt),
    updatedAt: isoTime(session.updatedAt),
    expiresAt: session.expiresAt === null ? null : isoTime(session.expiresAt),
    closedReason: session.closedReason,
    turns: last === null ? undefined : lastTurns(session, last),
  };
}

/** The whole current history, with the seq of each turn. */
export function historyView(session: ModelSession): readonly object[] {
  return session.timeline.turns.map((turn, i) => turnView(turn, i + 1));
}

function lastTurns(session: ModelSession, last: 'all' | number): readonly object[] {
  const all = historyView(session);
  return last === 'all' ? all : all.slice(Math.max(0, all.length - last));
}

/** A checkpoint of a session's history up to a seq, as a caller must read it ever after. */
export function checkpointView(
  model: PlainModel,
  session: ModelSession,
  seq: number,
  given: {
    readonly id: unknown;
    readonly label: string | null;
    readonly metadata: JsonObject | null;
  },
): object {
  const turns = session.timeline.turns.slice(0, seq);
  const last = turns.at(-1);
  const sums = sumsOf(turns);
  return {
    checkpointId: given.id,
    sessionId: session.id,
    label: given.label,
    automatic: given.metadata === null,
    metadata: verbatimMembers(given.metadata ?? {}),
    head: {
      // A point names the timeline that holds the turn, a head the one that is current.
      timelineId: new OneOf(last?.timeline ?? session.root, session.timeline.id),
      seq,
      turnId: last?.id ?? null,
    },
    turnCount: seq,
    totalTokens: sums.tokens,
    totalCost: sums.cost,
    createdAt: isoTime(model.now),
  };
}

/** An object whose members' values are opaque: only the order of the top-level keys is free. */
function verbatimMembers(values: JsonObject): object {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, new Verbatim(value)]),
  );
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
