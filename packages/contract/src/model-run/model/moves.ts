import type { Id } from '../names.ts';
import { requireRoomAfter, write } from './add-turns.ts';
import { findCheckpoint } from './checkpoints.ts';
import { codes, conflict, Refusal } from './refusal.ts';
import {
  changed,
  type ModelSession,
  newTimelineName,
  type OwnTurn,
  type Place,
  type PlainModel,
  requireStatus,
} from './session.ts';
import { newTimeline, upTo, versionAt } from './timeline.ts';
import type { TurnBody } from './turn.ts';
import { stateView } from './views.ts';

const writable = ['active'] as const;

export function restore(model: PlainModel, session: ModelSession, id: Id): object {
  const found = findCheckpoint(session, id);
  requireStatus(model, session, writable);
  return move(model, session, found);
}

/** The turn or the seq named is the last that is kept. */
export function rewind(
  model: PlainModel,
  session: ModelSession,
  to: { readonly seq: number } | { readonly turn: Id },
): object {
  const place = 'seq' in to ? placeAtSeq(session, to.seq) : placeAtTurn(session, to.turn);
  return move(model, session, required(model, session, place));
}

/** The history before a turn, then the turn anew with other content. */
export function edit(model: PlainModel, session: ModelSession, id: Id, content: string): object {
  const { history, turn } = required(model, session, findTurn(session, id));
  const seq = history.turns.length - 1;
  requireRoomAfter(model.config.maxTurnsPerSession, session, seq, 1);
  swing(session, { history: upTo(history, seq), latest: versionAt(history, seq) });
  write(model, session, [{ id: null, body: rewritten(turn.body, content) }], undefined);
  changed(model, session);
  return stateView(model, session);
}

/** What the writer said stays; what was said of its writing (model, usage, cost, state, error) goes. */
function rewritten(body: TurnBody, content: string): TurnBody {
  const { cost, isError, model, provider, state, usage, ...kept } = body;
  return { ...kept, content };
}

/** Before an answer; right after a user's turn. */
export function regenerate(model: PlainModel, session: ModelSession, id: Id): object {
  const { history, turn } = required(model, session, findTurn(session, id));
  const seq = history.turns.length - (turn.body.role === 'user' ? 0 : 1);
  return move(model, session, { history: upTo(history, seq), latest: versionAt(history, seq) });
}

/** Swings back to the timeline before the last move, as it was left. */
export function undo(model: PlainModel, session: ModelSession): object {
  requireStatus(model, session, writable);
  const back = session.undo.pop() ?? conflict('move');
  session.redo.push(session.timeline);
  session.timeline = back;
  changed(model, session);
  return stateView(model, session);
}

export function redo(model: PlainModel, session: ModelSession): object {
  requireStatus(model, session, writable);
  const again = session.redo.pop() ?? conflict('move');
  session.undo.push(session.timeline);
  session.timeline = again;
  changed(model, session);
  return stateView(model, session);
}

export function move(model: PlainModel, session: ModelSession, place: Place): object {
  swing(session, place);
  changed(model, session);
  return stateView(model, session);
}

/** Opens a timeline at a place; a new move clears redo. */
export function swing(session: ModelSession, { history, latest }: Place): void {
  session.undo.push(session.timeline);
  session.redo = [];
  session.timeline = newTimeline(newTimelineName(session), history, latest);
  session.all.push(session.timeline);
}

/** Refuses a place that is not there, and a session that may not move; which comes first is left open. */
function required<T>(model: PlainModel, session: ModelSession, place: T | null): T {
  requireStatus(model, session, writable, place === null ? 'input' : undefined);
  if (place === null) throw new Refusal([codes.input]);
  return place;
}

/** A turn id means the newest in the current history, else the session's own. */
export function findTurn(session: ModelSession, id: Id): OwnTurn | null {
  const { timeline } = session;
  const at = timeline.turns.findLastIndex((turn) => turn.id === id);
  const turn = timeline.turns[at];
  if (turn !== undefined) return { turn, history: upTo(timeline, at + 1) };
  return session.own.find((own) => own.turn.id === id) ?? null;
}

export function placeAtTurn(session: ModelSession, id: Id): Place | null {
  const found = findTurn(session, id);
  if (found === null) return null;
  const { history } = found;
  return { history, latest: versionAt(history, history.turns.length) };
}

export function placeAtSeq({ timeline }: ModelSession, seq: number): Place | null {
  if (seq > timeline.turns.length) return null;
  return { history: upTo(timeline, seq), latest: versionAt(timeline, seq) };
}
