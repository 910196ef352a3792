import { SessionCorruptDataError } from '../errors.ts';
import type { Engine } from '../manager/engine.ts';
import { deepFreeze, type JsonObject } from '../session/json.ts';
import { limits } from '../session/limits.ts';
import { toUsd } from '../session/money.ts';
import { readTurn } from '../session/read-turn.ts';
import type { SessionPosition } from '../session/state.ts';
import type { SessionTurn } from '../session/turn.ts';
import { readCheckpointValue } from '../store/checkpoints.ts';
import type { Point, RecordRow, Segment } from '../store/rows.ts';
import { History } from '../timeline/history.ts';
import { type StateDelta, StateDiff } from './state-diff.ts';

/** One side of a difference. */
export interface DiffSide {
  /** How many turns only this side has. */
  readonly count: number;
  /** The first 1,000 of them. */
  readonly turns: readonly SessionTurn[];
}

/** What two points of one family have in common and what only one of them has. */
export interface CheckpointDiff {
  /** The last point that both histories share; null if they share none. */
  readonly common: SessionPosition | null;
  readonly onlyA: DiffSide;
  readonly onlyB: DiffSide;
  /** From the variables of `a` to those of `b`. */
  readonly variables: StateDelta;
  /** Sums of `b` less those of `a`; USD. */
  readonly tokens: number;
  readonly cost: number;
}

export async function diffCheckpoints(
  engine: Engine,
  a: RecordRow,
  b: RecordRow,
): Promise<CheckpointDiff> {
  const [from, to] = [pointOf(a), pointOf(b)];
  const [before, after] = [await openAt(engine, from), await openAt(engine, to)];
  const [left, right] = [await before.segments(1, from.seq), await after.segments(1, to.seq)];
  const shared = sharedLength(left, right);
  const sameFamily = before.timeline.root === after.timeline.root;
  return Object.freeze({
    common: sameFamily ? await position(before, shared) : null,
    onlyA: await side(before, shared),
    onlyB: await side(after, shared),
    variables: deepFreeze(
      StateDiff.compute(await variablesAt(engine, from), await variablesAt(engine, to)),
    ),
    tokens: to.tokens - from.tokens,
    cost: toUsd(to.cost - from.cost),
  });
}

function pointOf(record: RecordRow): Point {
  return readCheckpointValue(record).point;
}

async function openAt(engine: Engine, point: Point): Promise<History> {
  const history = await History.open(engine.store, point);
  if (history !== null) return history;
  throw new SessionCorruptDataError(`timeline '${point.timelineId}'`, 'it is missing');
}

/** How many turns two histories begin with in common: the same places, not only the same texts. */
function sharedLength(a: readonly Segment[], b: readonly Segment[]): number {
  let length = 0;
  for (const [i, left] of a.entries()) {
    const right = b[i];
    if (right === undefined || left.timelineId !== right.timelineId) return length;
    length = Math.min(left.to, right.to);
    if (left.to !== right.to) return length;
  }
  return length;
}

async function position(history: History, seq: number): Promise<SessionPosition> {
  const { timelineId, turnId } = await history.point(seq);
  return Object.freeze({ timelineId, seq, turnId });
}

async function side(history: History, shared: number): Promise<DiffSide> {
  const rows = await history.turns(shared + 1, shared + limits.pageMax);
  return Object.freeze({
    count: history.length - shared,
    turns: Object.freeze(rows.map(readTurn)),
  });
}

async function variablesAt(engine: Engine, point: Point): Promise<JsonObject> {
  const found = point.variables === null ? null : await engine.store.variables(point.variables);
  return JSON.parse(found?.json ?? '{}') as JsonObject;
}
