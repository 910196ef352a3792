import type { Id } from '../names.ts';
import { findTurn, move } from './moves.ts';
import { codes, Refusal, refuse } from './refusal.ts';
import { type ModelSession, type PlainModel, requireStatus, sameOwner } from './session.ts';
import { type History, upTo, versionAt, whole } from './timeline.ts';
import { firstOf, type ModelTurn, turnView } from './turn.ts';
import { stateView } from './views.ts';

/** The other sessions of a family that a session's owner has. */
export function relatives(model: PlainModel, session: ModelSession): readonly ModelSession[] {
  return model.sessions.filter(
    (one) =>
      one !== session &&
      !one.deleted &&
      one.root === session.root &&
      sameOwner(one.owner, session.owner),
  );
}

/** The turns that follow the same point as a turn; a turn and its copies are one. */
export function siblings(model: PlainModel, session: ModelSession, id: Id): readonly object[] {
  const { history } = findTurn(session, id) ?? refuse('input');
  const seq = history.turns.length;
  const before = history.turns[seq - 2];
  const family = [session, ...relatives(model, session)];
  const labels = new Set(family.map(({ label }) => label));
  const found = new Set<ModelTurn>();
  const look = ({ turns }: History, seen: boolean): void => {
    const turn = turns[seq - 1];
    if (turn === undefined || turns[seq - 2] !== before) return;
    if (seen || labels.has(turn.holder)) found.add(turn);
  };
  for (const one of family) {
    for (const timeline of one.all) look(timeline, timeline === one.timeline);
  }
  const chosen = new Map<ModelTurn, ModelTurn>();
  for (const turn of found) {
    const first = firstOf(turn);
    const other = chosen.get(first);
    const shown = session.timeline.turns.includes(turn);
    const settled = other !== undefined && session.timeline.turns.includes(other);
    if (other === undefined || shown || (turn === first && !settled)) chosen.set(first, turn);
  }
  return [...chosen.values()].map((turn) => turnView(turn, seq));
}

/** To the newest head with the turn; to a turn of another session on a timeline that ends there. */
export function select(model: PlainModel, session: ModelSession, id: Id): object {
  const found = turnToSelect(model, session, id);
  requireStatus(model, session, ['active'], found === null ? 'input' : undefined);
  if (found === null) throw new Refusal([codes.input]);
  const newest = session.all.findLast(({ turns }) => turns.includes(found.turn));
  if (newest === session.timeline) return stateView(model, session);
  if (newest !== undefined) {
    return move(model, session, { history: whole(newest), latest: newest.latest });
  }
  const { history } = found;
  return move(model, session, { history, latest: versionAt(history, history.turns.length) });
}

/** A turn by its id: in the history, of the session's own, a copy that it left, or of another one of the family. */
function turnToSelect(
  model: PlainModel,
  session: ModelSession,
  id: Id,
): { readonly turn: ModelTurn; readonly history: History } | null {
  const own = findTurn(session, id);
  if (own !== null) return own;
  for (const timeline of session.all.toReversed()) {
    const turn = timeline.turns.findLast((one) => one.id === id && one.holder === session.label);
    if (turn !== undefined) return { turn, history: upTo(timeline, turn.seq) };
  }
  return turnsElsewhere(model, session).find(({ turn }) => turn.id === id) ?? null;
}

/** Turns that others of the family wrote, with the history that each ends; those whose id is theirs alone. */
export function turnsElsewhere(
  model: PlainModel,
  session: ModelSession,
): readonly { readonly turn: ModelTurn; readonly history: History }[] {
  const own = relatives(model, session).flatMap((one) => one.own);
  const ids = own.map(({ turn }) => turn.id);
  return own.filter(({ turn }) => ids.indexOf(turn.id) === ids.lastIndexOf(turn.id));
}
