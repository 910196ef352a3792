import { readCheckpoint } from '../checkpointing/checkpoint.ts';
import { SessionConflictError } from '../errors.ts';
import type { Engine } from '../manager/engine.ts';
import { openHistory } from '../manager/moves.ts';
import { checkSessionId, parseTimelineId } from '../session/ids.ts';
import { limits } from '../session/limits.ts';
import { checkOptions } from '../session/options.ts';
import { type Page, type PageOptions, parseCursor, parseLimit, toCursor } from '../session/page.ts';
import type { SessionPosition, SessionStatus } from '../session/state.ts';
import { toIso } from '../session/time.ts';
import { checkpointKey } from '../store/checkpoints.ts';
import type { SessionRow, TimelineRow } from '../store/rows.ts';
import { History } from '../timeline/history.ts';
import { livingFamily, shownTimelines } from './family.ts';

/** A session of a family. Of a deleted one only the id is known, and what others read of its timelines. */
export interface TreeSession {
  readonly type: 'session';
  readonly sessionId: string;
  readonly status: SessionStatus | 'deleted';
  readonly parentSessionId: string | null;
  readonly branchName: string | null;
  readonly forkSeq: number | null;
  readonly head: SessionPosition | null;
  readonly createdAt: string | null;
}

/** A timeline: where it starts, where it ends, and whether its session stands on it. */
export interface TreeTimeline {
  readonly type: 'timeline';
  readonly sessionId: string;
  readonly timelineId: string;
  /** The point at which it starts, on the timeline that holds its turn; null if it starts empty. */
  readonly base: SessionPosition | null;
  readonly end: SessionPosition;
  readonly current: boolean;
}

/** A checkpoint: a named point. */
export interface TreeCheckpoint {
  readonly type: 'checkpoint';
  readonly sessionId: string;
  readonly checkpointId: string;
  readonly label: string | null;
  readonly automatic: boolean;
  readonly point: SessionPosition;
}

/** One thing of a family's tree. A session comes first, then its timelines, then its checkpoints. */
export type TreeItem = TreeSession | TreeTimeline | TreeCheckpoint;

/** A living session, or a deleted one of which others still read turns. */
interface Node {
  readonly sessionId: string;
  readonly row: SessionRow | null;
}

/** The parts of a node in the order of the tree; `n` is the last one seen of a part. */
const parts = { session: 0, timeline: 1, checkpoint: 2 } as const;

interface Placed {
  readonly item: TreeItem;
  readonly part: number;
  readonly n: number;
}

/** The whole family of a session, in pages: reading one costs as many sessions as there are in the family. */
export async function readTree(
  engine: Engine,
  sessionId: string,
  options: PageOptions | undefined,
): Promise<Page<TreeItem>> {
  checkSessionId(sessionId);
  const given = checkOptions(options, ['limit', 'cursor']);
  const limit = parseLimit(given.limit);
  const list = `tree of ${sessionId}`;
  const after = parseCursor(given.cursor, list, ['sessionId', 'key', 'key']);
  const row = await engine.session(sessionId);
  const { root } = (await openHistory(engine, row)).timeline;
  const living = await livingFamily(engine, root, row.owner);
  const nodes = nodesOf(living, parseTimelineId(root).sessionId);
  let first = 0;
  let seen = { part: -1, n: 0 };
  if (after !== undefined) {
    first = nodes.findIndex((node) => node.sessionId === after[0]);
    seen = { part: Number(after[1]), n: Number(after[2]) };
    if (first === -1) {
      const gone = 'the session at which the page before ended is gone; begin anew';
      throw new SessionConflictError('session', sessionId, gone, row);
    }
  }
  const found: Placed[] = [];
  for (const [i, node] of nodes.entries()) {
    if (i < first || found.length > limit) continue;
    const from = i === first ? seen : { part: -1, n: 0 };
    for await (const placed of itemsOf(engine, node, living, from)) {
      found.push(placed);
      if (found.length > limit) break;
    }
  }
  const last = found.length > limit ? found[limit - 1] : undefined;
  return Object.freeze({
    items: Object.freeze(found.slice(0, limit).map(({ item }) => item)),
    nextCursor:
      last === undefined
        ? null
        : toCursor(list, last.item.sessionId, String(last.part), String(last.n)),
  });
}

/** The first session, then the others in the order in which they came; a deleted parent before its first child. */
function nodesOf(living: readonly SessionRow[], first: string): readonly Node[] {
  const rows = new Map(living.map((row) => [row.sessionId, row]));
  const nodes = new Map<string, Node>([
    [first, { sessionId: first, row: rows.get(first) ?? null }],
  ]);
  for (const row of living) {
    const parent = row.parent?.sessionId;
    if (parent !== undefined && !rows.has(parent) && !nodes.has(parent)) {
      nodes.set(parent, { sessionId: parent, row: null });
    }
    nodes.set(row.sessionId, { sessionId: row.sessionId, row });
  }
  return [...nodes.values()];
}

async function* itemsOf(
  engine: Engine,
  node: Node,
  living: readonly SessionRow[],
  from: { readonly part: number; readonly n: number },
): AsyncGenerator<Placed, void, undefined> {
  if (from.part < parts.session) {
    yield { item: sessionItem(node), part: parts.session, n: 0 };
  }
  if (from.part <= parts.timeline) {
    const after = from.part === parts.timeline ? from.n : 0;
    const timelines =
      node.row === null
        ? readOfDeleted(engine, node.sessionId, living, after)
        : timelinesOf(engine, node.row, after);
    for await (const item of timelines) {
      const { n } = parseTimelineId(item.timelineId);
      yield { item, part: parts.timeline, n };
    }
  }
  if (node.row === null) return;
  const after = from.part === parts.checkpoint ? from.n : 0;
  yield* checkpointsOf(engine, node.sessionId, after);
}

function sessionItem({ row, sessionId }: Node): TreeSession {
  return Object.freeze({
    type: 'session',
    sessionId,
    status: row?.status ?? 'deleted',
    parentSessionId: row?.parent?.sessionId ?? null,
    branchName: row?.parent?.branchName ?? null,
    forkSeq: row?.parent?.forkSeq ?? null,
    head: row === null ? null : Object.freeze({ ...row.head }),
    createdAt: row === null ? null : toIso(row.createdAt),
  });
}

async function* timelinesOf(
  engine: Engine,
  row: SessionRow,
  after: number,
): AsyncGenerator<TreeTimeline, void, undefined> {
  for (let from = after + 1; from <= row.timelines; from += limits.page) {
    const to = Math.min(row.timelines, from + limits.page - 1);
    for (const timeline of await shownTimelines(engine.store, row.sessionId, from, to)) {
      const current = timeline.timelineId === row.head.timelineId;
      const end = current ? row.head : await lastOf(engine, timeline);
      yield timelineItem(timeline, end, current);
    }
  }
}

async function lastOf(engine: Engine, timeline: TimelineRow): Promise<SessionPosition> {
  const { base, timelineId } = timeline;
  const own = [{ timelineId, from: (base?.seq ?? 0) + 1, to: Number.MAX_SAFE_INTEGER }];
  const [last] = await engine.store.turns(own, { limit: 1, order: 'desc' });
  const { seq, turnId } = last ?? base ?? { seq: 0, turnId: null };
  return { timelineId, seq, turnId };
}

/** Of a deleted session's timelines those whose turns living histories show, up to the last one shown. */
async function* readOfDeleted(
  engine: Engine,
  sessionId: string,
  living: readonly SessionRow[],
  after: number,
): AsyncGenerator<TreeTimeline, void, undefined> {
  const shown = new Map<number, { readonly timelineId: string; readonly to: number }>();
  for (const { head } of living) {
    const history = await History.open(engine.store, head);
    for (const { timelineId, to } of (await history?.segments(1, head.seq)) ?? []) {
      const place = parseTimelineId(timelineId);
      if (place.sessionId !== sessionId) continue;
      shown.set(place.n, { timelineId, to: Math.max(to, shown.get(place.n)?.to ?? 0) });
    }
  }
  const numbers = [...shown.keys()].filter((n) => n > after).sort((a, b) => a - b);
  for (const n of numbers) {
    const { timelineId, to } = shown.get(n) as { timelineId: string; to: number };
    const [timeline] = await engine.store.timelines([timelineId]);
    const segment = [{ timelineId, from: to, to }];
    const [last] = await engine.store.turns(segment, { limit: 1, order: 'asc' });
    if (!timeline || last === undefined) continue;
    yield timelineItem(timeline, { timelineId, seq: to, turnId: last.turnId }, false);
  }
}

function timelineItem(
  { base, timelineId }: TimelineRow,
  end: SessionPosition,
  current: boolean,
): TreeTimeline {
  const place = ({ seq, timelineId, turnId }: SessionPosition): SessionPosition =>
    Object.freeze({ timelineId, seq, turnId });
  return Object.freeze({
    type: 'timeline',
    sessionId: parseTimelineId(timelineId).sessionId,
    timelineId,
    base: base === null ? null : place(base),
    end: place(end),
    current,
  });
}

async function* checkpointsOf(
  engine: Engine,
  sessionId: string,
  after: number,
): AsyncGenerator<Placed, void, undefined> {
  for (let key = after === 0 ? undefined : checkpointKey(after); ; ) {
    const page = await engine.store.records(sessionId, 'checkpoint', {
      limit: limits.page,
      ...(key === undefined ? {} : { after: key }),
    });
    for (const record of page) {
      const { automatic, checkpointId, head, label } = readCheckpoint(sessionId, record);
      const item = { type: 'checkpoint', sessionId, checkpointId, label, automatic, point: head };
      yield {
        item: Object.freeze(item) as TreeCheckpoint,
        part: parts.checkpoint,
        n: Number(record.key),
      };
    }
    if (page.length < limits.page) return;
    key = page.at(-1)?.key;
  }
}
