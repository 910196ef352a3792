import { SessionCorruptDataError } from '../errors.ts';
import type {
  LineageEntry,
  MergedPoint,
  NewTimeline,
  Point,
  Segment,
  TimelineRow,
} from '../store/rows.ts';

/**
 * A history is a list of segments: which timeline holds the turns from which seq on. To open a timeline a
 * thousand moves deep as cheaply as the first one, the list is kept like the digits of a number: where 64 entries
 * of one level stand, the older 32 are sealed into a chunk, one entry of the next level. So a timeline's row holds
 * at most 63 entries of each level, the newest segments always among them, and any segment is found in as many
 * steps as there are levels.
 */
const chunkSize = 32;

/** Reads timelines' rows; the rows never change. */
export type LoadTimelines = (ids: readonly string[]) => Promise<readonly (TimelineRow | null)[]>;

/** The segments of a timeline's own history that hold seqs `from` to `to`, oldest first. */
export async function segmentsBetween(
  load: LoadTimelines,
  timeline: NewTimeline,
  from: number,
  to: number,
): Promise<readonly Segment[]> {
  const segments: Segment[] = [];
  await visit(load, timeline, from, to, (entry, last) => {
    if (entry.level > 0) return;
    segments.push({
      timelineId: entry.timelineId,
      from: Math.max(from, entry.from),
      to: Math.min(to, last),
    });
  });
  return segments;
}

/**
 * Goes through the entries of a history that hold seqs `from` to `to`, chunks and what is in them, oldest first.
 * `last` is the last seq that an entry covers.
 */
export async function visit(
  load: LoadTimelines,
  timeline: NewTimeline,
  from: number,
  to: number,
  onEntry: (entry: LineageEntry, last: number) => void,
): Promise<void> {
  const walk = async (entries: readonly LineageEntry[], end: number): Promise<void> => {
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as LineageEntry;
      const last = (entries[i + 1]?.from ?? end + 1) - 1;
      if (last < from) continue;
      if (entry.from > to) return;
      onEntry(entry, last);
      if (entry.level > 0) await walk(await openChunk(load, timeline, entry), last);
    }
  };
  const baseSeq = timeline.base?.seq ?? 0;
  if (from <= baseSeq) await walk(timeline.lineage, baseSeq);
  if (to > baseSeq && to >= from) {
    onEntry({ from: baseSeq + 1, timelineId: timeline.timelineId, level: 0 }, to);
  }
}

async function openChunk(
  load: LoadTimelines,
  timeline: NewTimeline,
  entry: LineageEntry,
): Promise<readonly LineageEntry[]> {
  const own = entry.timelineId === timeline.timelineId;
  const row = own ? timeline : (await load([entry.timelineId]))[0];
  const chunk = row?.chunks[entry.level];
  if (chunk === undefined) {
    throw new SessionCorruptDataError(
      `lineage of timeline '${entry.timelineId}'`,
      `its chunk of level ${entry.level} is missing`,
    );
  }
  return chunk;
}

/**
 * A timeline with the id `timelineId` that goes on from `point`, one of the history of `from`. Its base is that point
 * on the timeline that physically holds the turn; one at seq 0 lies on the family's first timeline.
 */
export async function openTimeline(
  load: LoadTimelines,
  timelineId: string,
  from: TimelineRow,
  point: Point,
): Promise<NewTimeline> {
  const base = physical(from, point);
  const merged = inherited(from, point);
  const baseSeq = from.base?.seq ?? 0;
  const ends =
    base.seq > baseSeq
      ? [...from.lineage, { from: baseSeq + 1, timelineId: from.timelineId, level: 0 }]
      : await cut(load, from, from.lineage, base.seq, baseSeq);
  const { lineage, chunks } = seal(timelineId, ends);
  const timeline = { timelineId, base, lineage, chunks, root: from.root };
  return merged.length === 0 ? timeline : { ...timeline, merged };
}

/** The same point on the timeline that physically holds its turn. */
function physical(from: TimelineRow, point: Point): Point {
  const { base } = from;
  if (point.timelineId !== from.timelineId || point.seq > (base?.seq ?? 0)) return point;
  return { ...point, timelineId: base?.timelineId ?? from.root };
}

/** A merge that brought variables alone left no turns, so that no lineage names its timeline: its note goes along. */
function inherited(from: TimelineRow, point: Point): readonly MergedPoint[] {
  if (point.timelineId !== from.timelineId || point.seq !== (from.base?.seq ?? 0)) return [];
  return (from.merged ?? []).filter(({ turns }) => turns === 0);
}

/** The entries up to `seq` of a list that covers the history up to `end`. */
async function cut(
  load: LoadTimelines,
  timeline: TimelineRow,
  entries: readonly LineageEntry[],
  seq: number,
  end: number,
): Promise<readonly LineageEntry[]> {
  const kept = entries.filter((entry) => entry.from <= seq);
  const last = kept.at(-1);
  if (last === undefined || last.level === 0) return kept;
  const lastEnd = (entries[kept.length]?.from ?? end + 1) - 1;
  if (lastEnd === seq) return kept;
  const chunk = await openChunk(load, timeline, last);
  const opened = await cut(load, timeline, chunk, seq, lastEnd);
  return [...kept.slice(0, -1), ...opened];
}

/** Where 64 entries of one level stand, the older half of them goes into a chunk. */
function seal(
  timelineId: string,
  entries: readonly LineageEntry[],
): Pick<NewTimeline, 'lineage' | 'chunks'> {
  const chunks: Record<number, readonly LineageEntry[]> = {};
  let lineage = entries;
  for (let level = 0; ; level++) {
    // Entries of one level stand together, those of the next level before them.
    const start = lineage.findIndex((entry) => entry.level === level);
    const run = lineage.filter((entry) => entry.level === level).length;
    if (run < 2 * chunkSize) return { lineage, chunks };
    const chunk = lineage.slice(start, start + chunkSize);
    chunks[level + 1] = chunk;
    const sealed = { from: (chunk[0] as LineageEntry).from, timelineId, level: level + 1 };
    lineage = [...lineage.slice(0, start), sealed, ...lineage.slice(start + chunkSize)];
  }
}
