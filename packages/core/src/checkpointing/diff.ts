import { SessionCorruptDataError } from '../errors.ts';
import type { Engine } from '../manager/engine.ts';
import { deepFreeze, type JsonObject } from '../session/json.ts';
import { limits } from '../session/limits.ts';
import { toUsd } from '../session/money.ts';
import { readStored } from '../session/read-stored.ts';
import { readTurn } from '../session/read-turn.ts';
import type { SessionPosition } from '../session/state.ts';
import type { SessionTurn } from '../session/turn.ts';
import type { Point, TurnRow } from '../store/rows.ts';
import { commonLength } from '../timeline/common-length.ts';
import { History } from '../timeline/history.ts';
import { Tail } from '../timeline/tail.ts';
import { type StateDelta, StateDiff } from './state-diff.ts';

/** One side of a difference. */
export interface DiffSide {
  /** How many turns only this side has. A turn and its merged copy are the same one. */
  readonly count: number;
  /** The first 1,000 of them. */
  readonly turns: readonly SessionTurn[];
}

/** What two points have in common and what only one of them has. */
export interface HistoryDiff {
  /** The last point that both histories share; null if they are of two families. */
  readonly common: SessionPosition | null;
  readonly onlyA: DiffSide;
  readonly onlyB: DiffSide;
  /** From the variables of `a` to those of `b`. */
  readonly variables: StateDelta;
  /** Sums of `b` less those of `a`; USD. */
  readonly tokens: number;
  readonly cost: number;
}

/** The difference of two points of any sessions: what it costs follows what differs. */
export async function diffPoints(engine: Engine, from: Point, to: Point): Promise<HistoryDiff> {
  const [before, after] = [await openAt(engine, from), await openAt(engine, to)];
  const shared = await commonLength(before, after);
  const sameFamily = before.timeline.root === after.timeline.root;
  const [a, b] = [await Tail.open(before, shared), await Tail.open(after, shared)];
  const isMerged = sameFamily && (a.isMerged || b.isMerged);
  return Object.freeze({
    common: sameFamily ? await position(before, shared) : null,
    onlyA: await side(a, isMerged ? await b.shows() : null),
    onlyB: await side(b, isMerged ? await a.shows() : null),
    variables: deepFreeze(
      StateDiff.compute(await variablesAt(engine, from), await variablesAt(engine, to)),
    ),
    tokens: to.tokens - from.tokens,
    cost: toUsd(to.cost - from.cost),
  });
}

async function openAt(engine: Engine, point: Point): Promise<History> {
  const history = await History.open(engine.store, point);
  if (history !== null) return history;
  throw new SessionCorruptDataError(`timeline '${point.timelineId}'`, 'it is missing');
}

async function position(history: History, seq: number): Promise<SessionPosition> {
  const { timelineId, turnId } = await history.point(seq);
  return Object.freeze({ timelineId, seq, turnId });
}

/** @param shown tells which turns the other side shows too; null if it can show none */
async function side(tail: Tail, shown: ((turn: TurnRow) => boolean) | null): Promise<DiffSide> {
  if (shown === null) {
    const { common, history, length } = tail;
    const rows = await history.turns(common + 1, common + limits.pageMax);
    return Object.freeze({ count: length, turns: Object.freeze(rows.map(readTurn)) });
  }
  let count = 0;
  const turns: SessionTurn[] = [];
  for await (const { row } of tail.turns()) {
    if (shown(row)) continue;
    count += 1;
    if (turns.length < limits.pageMax) turns.push(readTurn(row));
  }
  return Object.freeze({ count, turns: Object.freeze(turns) });
}

async function variablesAt(engine: Engine, point: Point): Promise<JsonObject> {
  const found = point.variables === null ? null : await engine.store.variables(point.variables);
  if (found === null) return {};
  return readStored(found.json, `the variables of '${found.at.timelineId}'`) as JsonObject;
}
