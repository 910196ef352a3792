import { saveAutomatically } from './checkpoints.ts';
import { capped, conflict } from './refusal.ts';
import {
  changed,
  headOf,
  type ModelCheckpoint,
  type ModelHead,
  type ModelSession,
  type PlainModel,
  requireStatus,
  statusOf,
} from './session.ts';
import { type Patch, patched, upTo, type Version } from './timeline.ts';
import { type GivenTurn, type ModelTurn, sameBody, turnView } from './turn.ts';
import { isoTime } from './views.ts';

export interface AddOptions {
  readonly head?: ModelHead | undefined;
  readonly seq?: number | undefined;
  readonly patch?: Patch | undefined;
}

/** All or nothing. Answers what `addTurns` must answer. */
export function addTurns(
  model: PlainModel,
  session: ModelSession,
  given: readonly GivenTurn[],
  options: AddOptions,
): object {
  const known = given.map(({ id }) => session.own.find((own) => own.turn.id === id));
  if (known.some((own) => own !== undefined)) return repeated(model, session, given);
  if (session.status === 'closed' && session.closedReason === 'turn_limit')
    capped('maxTurnsPerSession');
  requireStatus(model, session, ['active']);
  requireExpected(session, options);
  requireRoom(model, session, given.length);
  const from = session.timeline.turns.length;
  const saved = write(model, session, given, options.patch);
  changed(model, session);
  return {
    ...answerNow(model, session),
    turns: session.timeline.turns.slice(from).map((turn, i) => turnView(turn, from + i + 1)),
    seq: session.timeline.turns.length,
    duplicate: false,
    current: true,
    checkpoints: saved.map((checkpoint) => checkpoint.view),
  };
}

/** A batch is a duplicate only as a whole; nothing of it is written again. */
function repeated(model: PlainModel, session: ModelSession, given: readonly GivenTurn[]): object {
  const stored = given.map((turn) => {
    const own = session.own.find((one) => one.turn.id === turn.id);
    if (own === undefined || !sameBody(own.turn.body, turn.body)) conflict('turn');
    return own;
  });
  const seqs = stored.map((own) => own.history.turns.length);
  return {
    ...answerNow(model, session),
    turns: stored.map((own, i) => turnView(own.turn, seqs[i] as number)),
    seq: seqs.at(-1),
    duplicate: true,
    current: stored.every((own) => session.timeline.turns.includes(own.turn)),
    checkpoints: [],
  };
}

function answerNow(model: PlainModel, session: ModelSession): object {
  return {
    head: headOf(session),
    revision: session.revision,
    turnCount: session.timeline.turns.length,
    status: statusOf(model, session),
  };
}

function requireExpected(session: ModelSession, { head, seq }: AddOptions): void {
  const now = headOf(session);
  const stale = seq !== undefined && seq !== now.seq;
  const moved =
    head !== undefined &&
    (head.timelineId !== now.timelineId || head.seq !== now.seq || head.turnId !== now.turnId);
  if (stale || moved) conflict('head', { head: now, revision: session.revision });
}

/** Both caps: of the current history, and ten times as many on all timelines. */
function requireRoom({ config }: PlainModel, session: ModelSession, count: number): void {
  requireRoomAfter(config.maxTurnsPerSession, session, session.timeline.turns.length, count);
}

export function requireRoomAfter(
  cap: number,
  session: ModelSession,
  seq: number,
  count: number,
): void {
  const full = seq + count > cap || session.own.length + count > cap * 10;
  if (full) capped('maxTurnsPerSession');
}

/**
 * Puts turns at the end of the session's current timeline, with a patch that stands at the last one, and makes
 * the automatic checkpoints. The turn that fills the cap closes the session.
 */
export function write(
  model: PlainModel,
  session: ModelSession,
  given: readonly GivenTurn[],
  patch: Patch | undefined,
): readonly ModelCheckpoint[] {
  const { timeline } = session;
  const before = timeline.turns.length;
  const after: Version =
    patch === undefined ? timeline.latest : { values: patched(timeline.latest.values, patch) };
  for (const [i, { body, id, timestamp }] of given.entries()) {
    const turn: ModelTurn = {
      id: id ?? model.newTurnName(),
      body,
      timestamp: isoTime(timestamp === undefined ? model.now : Date.parse(timestamp)),
      timeline: timeline.id,
      seq: timeline.turns.length + 1,
      holder: session.label,
    };
    timeline.turns.push(turn);
    timeline.versions.push(i === given.length - 1 ? after : timeline.latest);
    session.own.push({ turn, history: upTo(timeline, timeline.turns.length) });
  }
  timeline.latest = after;
  const saved = saveAutomatically(model, session, before);
  closeIfFull(model, session);
  return saved;
}

/** What fills the cap closes the session, if the configuration says so. */
export function closeIfFull({ config }: PlainModel, session: ModelSession): void {
  const { maxTurnsPerSession, onTurnLimit } = config;
  if (session.timeline.turns.length < maxTurnsPerSession || onTurnLimit !== 'close') return;
  session.status = 'closed';
  session.closedReason = 'turn_limit';
}
