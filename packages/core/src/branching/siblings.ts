import { SessionConflictError } from '../errors.ts';
import type { Engine } from '../manager/engine.ts';
import { findTurn, openHistory } from '../manager/moves.ts';
import { checkName, parseTimelineId } from '../session/ids.ts';
import { limits } from '../session/limits.ts';
import { checkOptions } from '../session/options.ts';
import { type Page, type PageOptions, parseCursor, parseLimit, toCursor } from '../session/page.ts';
import { readTurn } from '../session/read-turn.ts';
import type { SessionTurn } from '../session/turn.ts';
import type { Owner, SessionRow, TimelineRow, TurnRow } from '../store/rows.ts';
import { History } from '../timeline/history.ts';
import { segmentsBetween } from '../timeline/lineage.ts';
import { originKey } from '../timeline/tail.ts';
import { holdersOf, stagedNumbers } from './family.ts';

/** A place in a family's turns. */
interface Place {
  readonly timelineId: string;
  readonly seq: number;
}

/** A turn and those that follow the same point, its own included, in pages. */
export async function listSiblings(
  engine: Engine,
  sessionId: string,
  turnId: string,
  options: PageOptions | undefined,
): Promise<Page<SessionTurn>> {
  const given = checkOptions(options, ['limit', 'cursor']);
  const id = checkName(turnId, 'turnId');
  const limit = parseLimit(given.limit);
  const list = `siblings in ${sessionId}`;
  const after = parseCursor(given.cursor, list, ['sessionId', 'key']);
  const row = await engine.session(sessionId);
  const history = await openHistory(engine, row);
  const { turn } = await findTurn(engine, history, id, 'turnId');
  const turns = await siblingsOf(engine, row.owner, history, turn);
  let start = 0;
  if (after !== undefined) {
    const last = `${after[0]}.${after[1]}`;
    start = turns.findIndex(({ timelineId }) => timelineId === last) + 1;
    if (start === 0) {
      const gone = `the sibling at which the page before ended is gone; begin anew`;
      throw new SessionConflictError('turn', sessionId, gone, row);
    }
  }
  const items = turns.slice(start, start + limit).map(readTurn);
  const last = turns[start + limit - 1];
  const more = start + limit < turns.length && last !== undefined;
  const place = more ? parseTimelineId(last.timelineId) : null;
  return Object.freeze({
    items: Object.freeze(items),
    nextCursor: place === null ? null : toCursor(list, place.sessionId, String(place.n)),
  });
}

/**
 * The turns whose predecessor is the same physical point as that of `turn`, across timelines and living branches:
 * first on the timeline that holds the point, then in order of sessions and timelines. Of a turn and its merged
 * copies one is there, the one that `history` shows if it shows one.
 */
async function siblingsOf(
  engine: Engine,
  owner: Owner,
  history: History,
  turn: TurnRow,
): Promise<readonly TurnRow[]> {
  const before = await predecessor(history, turn);
  const holder = parseTimelineId(before.timelineId).sessionId;
  const found = new Map<string, Place>();
  const add = (timelineId: string): void => {
    found.set(timelineId, { timelineId, seq: turn.seq });
  };
  add(before.timelineId);
  const readers = (await holdersOf(engine.store, holder)).filter(({ seq }) => seq >= before.seq);
  const ids = new Set([holder, ...readers.map(({ sessionId }) => sessionId)]);
  const living = new Map<string, SessionRow>();
  for (const id of ids) {
    const row = await engine.store.session(id, owner);
    if (row !== null) living.set(id, row);
  }
  for (const [id, row] of living) {
    for (const timeline of await startingAt(engine, id, before)) add(timeline.timelineId);
    const shown = await shownAfter(engine, row, before);
    if (shown !== null) add(shown);
  }
  const rows = await firstTurns(engine, [...found.values()]);
  const left = await Promise.all(rows.map((one) => isSeen(engine, one, living)));
  return onceEach(
    rows.filter((_, i) => left[i]),
    history,
  );
}

/** The point that a turn follows, on the timeline that physically holds it. */
async function predecessor(history: History, turn: TurnRow): Promise<Place> {
  const [timeline] = await history.load([turn.timelineId]);
  const base = timeline?.base ?? null;
  const seq = turn.seq - 1;
  if (seq > (base?.seq ?? 0)) return { timelineId: turn.timelineId, seq };
  return { timelineId: base?.timelineId ?? history.timeline.root, seq };
}

async function startingAt(
  engine: Engine,
  sessionId: string,
  base: Place,
): Promise<readonly TimelineRow[]> {
  const rows: TimelineRow[] = [];
  for (let after = 0; ; ) {
    const page = await engine.store.startingAt(sessionId, base, { after, limit: limits.pageMax });
    rows.push(...page);
    if (page.length < limits.pageMax) break;
    after = parseTimelineId((page.at(-1) as TimelineRow).timelineId).n;
  }
  if (rows.length === 0) return rows;
  const staged = await stagedNumbers(engine.store, sessionId);
  return rows.filter(({ timelineId }) => !staged.has(parseTimelineId(timelineId).n));
}

/** The timeline from which a session's history takes the turn after a point, if it comes by there. */
async function shownAfter(engine: Engine, row: SessionRow, point: Place): Promise<string | null> {
  if (row.head.seq <= point.seq) return null;
  const history = await History.open(engine.store, row.head);
  if (history === null) return null;
  const next = await history.segments(point.seq + 1, point.seq + 1);
  const timelineId = next[0]?.timelineId ?? '';
  const [timeline] = await engine.store.timelines([timelineId]);
  const base = timeline?.base ?? null;
  const from =
    point.seq > (base?.seq ?? 0) ? timelineId : (base?.timelineId ?? history.timeline.root);
  return timeline && from === point.timelineId ? timelineId : null;
}

async function firstTurns(engine: Engine, places: readonly Place[]): Promise<readonly TurnRow[]> {
  const rows: TurnRow[] = [];
  for (let at = 0; at < places.length; at += limits.page) {
    const segments = places
      .slice(at, at + limits.page)
      .map(({ seq, timelineId }) => ({ timelineId, from: seq, to: seq }));
    const read = await engine.store.turns(segments, { limit: limits.page, order: 'asc' });
    const byTimeline = new Map(read.map((row) => [row.timelineId, row]));
    for (const { timelineId } of segments) {
      const row = byTimeline.get(timelineId);
      if (row !== undefined) rows.push(row);
    }
  }
  return rows;
}

/** Whether a turn is a living session's, or one that a living session's history shows. */
async function isSeen(
  engine: Engine,
  turn: TurnRow,
  living: ReadonlyMap<string, SessionRow>,
): Promise<boolean> {
  if (living.has(parseTimelineId(turn.timelineId).sessionId)) return true;
  for (const row of living.values()) {
    const [timeline] = await engine.store.timelines([row.head.timelineId]);
    if (!timeline || turn.seq > row.head.seq) continue;
    const load = (ids: readonly string[]) => engine.store.timelines(ids);
    const [segment] = await segmentsBetween(load, timeline, turn.seq, turn.seq);
    if (segment?.timelineId === turn.timelineId) return true;
  }
  return false;
}

async function onceEach(turns: readonly TurnRow[], history: History): Promise<readonly TurnRow[]> {
  const chosen = new Map<string, TurnRow>();
  for (const turn of turns) {
    const key = originKey(turn);
    const before = chosen.get(key);
    const better = before === undefined || turn.origin === null || (await history.has(turn));
    const settled = before !== undefined && (await history.has(before));
    if (better && !settled) chosen.set(key, turn);
  }
  const kept = new Set(chosen.values());
  return turns.filter((turn) => kept.has(turn));
}
