import {
  SessionConflictError,
  SessionCorruptDataError,
  SessionInputError,
  SessionNotFoundError,
} from '../errors.ts';
import { checkName, parseTimelineId, timelineId } from '../session/ids.ts';
import type { TurnDraft } from '../session/parse-turn.ts';
import { SessionStateMachine } from '../session/state-machine.ts';
import type { Commit, Committed, OperationKey, RecordWrite } from '../store/port.ts';
import type {
  MoveKind,
  NewTimeline,
  Point,
  SessionRow,
  TimelineRow,
  TurnRow,
} from '../store/rows.ts';
import { endOf, History } from '../timeline/history.ts';
import { openTimeline } from '../timeline/lineage.ts';
import { appendOf } from './append.ts';
import type { Engine } from './engine.ts';
import { refusalError } from './refusal-error.ts';

/** Where a move goes: a point of the history that `from` ends, and turns that stand there at once. */
export interface Destination {
  readonly point: Point;
  readonly from: TimelineRow;
  readonly turns?: readonly TurnDraft[];
}

/** Moves that lose a race against another move of the same session try again, this often. */
const attempts = 8;

/**
 * Opens a timeline at a destination and swings the session's pointer to it, in one atomic effect. Turns that
 * others add meanwhile stay on the timeline that is left; a move that others make meanwhile makes this one
 * plan again.
 *
 * @throws SessionConflictError with reason `move` if others kept moving the session
 */
export function move(
  engine: Engine,
  sessionId: string,
  kind: MoveKind,
  operation: OperationKey | undefined,
  plan: (history: History, row: SessionRow) => Promise<Destination>,
): Promise<Committed> {
  return swing(engine, sessionId, kind, operation, async (row) => {
    const history = await openHistory(engine, row);
    return moveTo(engine, kind, row, await plan(history, row));
  });
}

/** What a move writes: a timeline that begins at the destination, and the pointer on its way there. */
export async function moveTo(
  engine: Engine,
  kind: MoveKind,
  row: SessionRow,
  { from, point, turns }: Destination,
): Promise<Commit & { readonly timeline: NewTimeline }> {
  const id = timelineId(row.sessionId, row.timelines + 1);
  const load = (ids: readonly string[]) => engine.store.timelines(ids);
  const timeline = await openTimeline(load, id, from, point);
  return {
    timeline,
    pointer: { move: kind, to: { ...point, timelineId: id } },
    records: [clearedRedo(row)],
    ...(turns === undefined ? {} : { append: appendOf(engine, turns) }),
  };
}

/** A new move clears what undo had left to redo here. */
export function clearedRedo({ head }: SessionRow): RecordWrite {
  return { kind: 'redo', key: head.timelineId, delete: true };
}

/**
 * Swings the pointer as `plan` says, which is asked again if others moved the session meanwhile; null is to stay,
 * which changes nothing and is no move.
 */
export async function swing(
  engine: Engine,
  sessionId: string,
  kind: MoveKind,
  operation: OperationKey | undefined,
  plan: (row: SessionRow) => Promise<Commit | null>,
): Promise<Committed> {
  const before = await engine.recall(sessionId, operation);
  if (before !== null) return before;
  for (let attempt = 1; ; attempt++) {
    const row = await writableSession(engine, sessionId);
    let commit: Awaited<ReturnType<typeof plan>>;
    try {
      commit = await engine.whileThere(sessionId, () => plan(row));
    } catch (error) {
      // The same operation may have been done in between, and so left nothing to do.
      const done = await engine.recall(sessionId, operation);
      if (done !== null) return done;
      throw error;
    }
    if (commit === null && operation === undefined) return standing(row);
    const result = await engine.try(sessionId, {
      ...(commit === null ? {} : { ...commit, event: { type: 'move' }, expiry: engine.expiry }),
      guards: { status: SessionStateMachine.allowed.write, moves: row.moves },
      ...(operation === undefined ? {} : { operation }),
    });
    if (result.refused === undefined) return result;
    const raced =
      result.refused === 'expected' && (result.what === 'moves' || result.what === 'timeline');
    if (!raced || attempt === attempts) throw refusalError(sessionId, result, kind);
  }
}

/** A session that may be written to. @throws the error of its status if it may not */
export async function writableSession(engine: Engine, sessionId: string): Promise<SessionRow> {
  const row = await engine.session(sessionId);
  const status: readonly string[] = SessionStateMachine.allowed.write;
  if (status.includes(row.status)) return row;
  throw refusalError(sessionId, { refused: 'status', session: row }, 'active');
}

/** A session as it is, for a call that changed nothing. */
export function standing(row: SessionRow): Committed {
  const { metadata, ...session } = row;
  return { session, metadata, turns: [], checkpoints: [], replayed: false };
}

/**
 * The history of a session's head.
 *
 * @throws SessionNotFoundError if it was deleted meanwhile; SessionCorruptDataError if its timeline is missing
 */
export async function openHistory(engine: Engine, row: SessionRow): Promise<History> {
  const history = await History.open(engine.store, row.head);
  if (history !== null) return history;
  await engine.session(row.sessionId);
  throw new SessionCorruptDataError(`timeline '${row.head.timelineId}'`, 'it is missing');
}

/** A turn that a call names, and the history in which it stands. */
export interface NamedTurn {
  readonly history: History;
  readonly turn: TurnRow;
}

/**
 * The newest turn with this id in the history, else the session's own one, left behind by a move.
 *
 * @throws SessionInputError if there is none
 */
export async function findTurn(
  engine: Engine,
  history: History,
  turnId: unknown,
  path: string,
): Promise<NamedTurn> {
  const id = checkName(turnId, path);
  const shown = await history.find(id);
  if (shown !== null) return { history, turn: shown };
  const { sessionId } = parseTimelineId(history.timeline.timelineId);
  const turns = await engine.store.findTurns(id, [sessionId]);
  const own = turns.find((turn) => turn.origin === null);
  const left = own === undefined ? null : await History.open(engine.store, own);
  if (own === undefined || left === null) {
    throw new SessionInputError(path, `session '${sessionId}' has no turn '${id}'`);
  }
  return { history: left, turn: own };
}

/** The point after `seq` turns of a history. @throws SessionInputError if it is shorter */
export async function pointAt(history: History, seq: number, path: string): Promise<Destination> {
  if (seq > history.length) {
    throw new SessionInputError(path, `the history has ${history.length} turns, got ${seq}`);
  }
  return { point: await history.point(seq), from: history.timeline };
}

/** Swings back to the timeline that the last move left. */
export function undo(
  engine: Engine,
  sessionId: string,
  operation: OperationKey | undefined,
): Promise<Committed> {
  return swing(engine, sessionId, 'undo', operation, async (row) => {
    const [current] = await engine.store.timelines([row.head.timelineId]);
    const target = current?.previous ?? null;
    if (target === null) throw nothingTo('undo', row);
    const redo: RecordWrite = { kind: 'redo', key: target, value: row.head.timelineId };
    return { pointer: { move: 'undo', to: await endAt(engine, target, row) }, records: [redo] };
  });
}

/** Swings forward again to the timeline that the last undo left. */
export function redo(
  engine: Engine,
  sessionId: string,
  operation: OperationKey | undefined,
): Promise<Committed> {
  return swing(engine, sessionId, 'redo', operation, async (row) => {
    const record = await engine.store.record(sessionId, 'redo', row.head.timelineId);
    if (record === null) throw nothingTo('redo', row);
    const to = await endAt(engine, record.value, row);
    return {
      pointer: { move: 'redo', to },
      records: [{ kind: 'redo', key: row.head.timelineId, delete: true }],
    };
  });
}

async function endAt(engine: Engine, target: string, row: SessionRow): Promise<Point> {
  const [timeline] = await engine.store.timelines([target]);
  if (!timeline) throw new SessionNotFoundError(row.sessionId);
  return endOf(engine.store, timeline);
}

function nothingTo(what: 'undo' | 'redo', row: SessionRow): SessionConflictError {
  return new SessionConflictError('move', row.sessionId, `there is nothing to ${what}`, row);
}
