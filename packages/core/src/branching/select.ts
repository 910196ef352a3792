import { SessionInputError } from '../errors.ts';
import type { Engine } from '../manager/engine.ts';
import { type Destination, moveTo, openHistory, swing } from '../manager/moves.ts';
import { parseTimelineId } from '../session/ids.ts';
import { limits } from '../session/limits.ts';
import type { Committed, OperationKey } from '../store/port.ts';
import type { SessionRow, TimelineRow, TurnRow } from '../store/rows.ts';
import { endOf, History } from '../timeline/history.ts';
import { segmentsBetween } from '../timeline/lineage.ts';
import { livingFamily, shownTimelines, stagedNumbers } from './family.ts';
import { holdMore } from './hold-more.ts';
import { foreignReach } from './reach.ts';

/** A turn, and the session that shows it. */
interface Found {
  readonly turn: TurnRow;
  readonly shownBy: string;
}

/**
 * Moves a session to the newest of its heads that contains a turn; to a turn of another session of the family on a
 * new timeline that ends there. If it stands there already it stays.
 *
 * @throws SessionInputError if the family has no such turn
 */
export function select(
  engine: Engine,
  sessionId: string,
  turnId: string,
  operation: OperationKey | undefined,
): Promise<Committed> {
  return swing(engine, sessionId, 'select', operation, async (row) => {
    const history = await openHistory(engine, row);
    const found =
      (await findOwn(engine, row, history, turnId)) ??
      (await findInFamily(engine, row, history, turnId));
    if (found === null) {
      throw new SessionInputError(
        'turnId',
        `neither session '${sessionId}' nor another of its family has a turn '${turnId}'`,
      );
    }
    const newest = await newestWith(engine, row, found.turn);
    if (newest?.timelineId === row.head.timelineId) return null;
    if (newest !== null) {
      const point = await endOf(engine.store, newest);
      return moveTo(engine, 'select', row, { point, from: newest });
    }
    const commit = await moveTo(engine, 'select', row, await endingAt(engine, found.turn));
    const reach = await foreignReach(history.load, sessionId, commit.timeline);
    await holdMore(engine, row, found.shownBy, reach);
    return commit;
  });
}

/** The newest turn with this id in the history, else on a timeline of the session's own that was left. */
async function findOwn(
  engine: Engine,
  row: SessionRow,
  history: History,
  turnId: string,
): Promise<Found | null> {
  const { sessionId } = row;
  const shown = await history.find(turnId);
  if (shown !== null) return { turn: shown, shownBy: sessionId };
  const turns = await engine.store.findTurns(turnId, [sessionId]);
  if (turns.length === 0) return null;
  const staged = await stagedNumbers(engine.store, sessionId);
  const n = ({ timelineId }: TurnRow): number => parseTimelineId(timelineId).n;
  const left = turns.filter((turn) => !staged.has(n(turn))).sort((a, b) => n(b) - n(a));
  const turn = left.find(({ origin }) => origin === null) ?? left[0];
  return turn === undefined ? null : { turn, shownBy: sessionId };
}

/** A turn of another living session, or one that another session's history shows; those first written there first. */
async function findInFamily(
  engine: Engine,
  row: SessionRow,
  history: History,
  turnId: string,
): Promise<Found | null> {
  const family = await livingFamily(engine, history.timeline.root, row.owner);
  const others = family.filter(({ sessionId }) => sessionId !== row.sessionId);
  let copy: Found | null = null;
  for (let at = 0; at < others.length; at += limits.page) {
    const ids = others.slice(at, at + limits.page).map(({ sessionId }) => sessionId);
    for (const turn of await engine.store.findTurns(turnId, ids)) {
      const { n, sessionId } = parseTimelineId(turn.timelineId);
      const found = { turn, shownBy: sessionId };
      if (turn.origin === null) return found;
      if (!(await stagedNumbers(engine.store, sessionId)).has(n)) copy ??= found;
    }
  }
  if (copy !== null) return copy;
  for (const { head, sessionId } of others) {
    const turn = await (await History.open(engine.store, head))?.find(turnId);
    if (turn) return { turn, shownBy: sessionId };
  }
  return null;
}

/** The newest of a session's timelines whose history has a turn. */
async function newestWith(
  engine: Engine,
  row: SessionRow,
  turn: TurnRow,
): Promise<TimelineRow | null> {
  const { sessionId } = row;
  const load = (ids: readonly string[]) => engine.store.timelines(ids);
  for (let to = row.timelines; to > 0; to -= limits.page) {
    const from = Math.max(1, to - limits.page + 1);
    const rows = await shownTimelines(engine.store, sessionId, from, to);
    for (const timeline of rows.toReversed()) {
      if (timeline.timelineId === turn.timelineId) return timeline;
      if (turn.seq > (timeline.base?.seq ?? 0)) continue;
      const [segment] = await segmentsBetween(load, timeline, turn.seq, turn.seq);
      if (segment?.timelineId === turn.timelineId) return timeline;
    }
  }
  return null;
}

async function endingAt(engine: Engine, turn: TurnRow): Promise<Destination> {
  const history = await History.open(engine.store, turn);
  if (history === null) throw new SessionInputError('turnId', `the turn '${turn.turnId}' is gone`);
  return { point: await history.point(turn.seq), from: history.timeline };
}
