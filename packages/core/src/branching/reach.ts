import { parseTimelineId, timelineId as timelineIdOf } from '../session/ids.ts';
import type { KeptTimeline } from '../store/port.ts';
import type { NewTimeline } from '../store/rows.ts';
import { type LoadTimelines, segmentsBetween, visit } from '../timeline/lineage.ts';

/** What a hold says: up to which point of a session a branch reads, and which rows have chunks of its lineage. */
export interface HoldValue {
  readonly timelineId: string;
  readonly seq: number;
  readonly chunks: readonly string[];
}

/** A hold as text, short, for there is one for each branch: timelines of the held session by their numbers. */
export function holdText({ chunks, seq, timelineId }: HoldValue): string {
  const numbers = chunks.map((id) => parseTimelineId(id).n);
  return JSON.stringify([parseTimelineId(timelineId).n, seq, ...numbers]);
}

/** Several of them in one record: a session that went over to another one's turns reads in more than one place. */
export function holdsText(holds: readonly HoldValue[]): string {
  const [one] = holds;
  if (one !== undefined && holds.length === 1) return holdText(one);
  return `[${holds.map(holdText).join(',')}]`;
}

/** @param sessionId the session that is held */
export function readHolds(value: string, sessionId: string): readonly HoldValue[] {
  const read = JSON.parse(value) as StoredHold | readonly StoredHold[];
  const id = (of: string | number): string =>
    typeof of === 'number' ? timelineIdOf(sessionId, of) : of;
  return (isOne(read) ? [read] : read).map(([timeline, seq, ...chunks]) => ({
    timelineId: id(timeline),
    seq,
    chunks: chunks.map(id),
  }));
}

/** Timelines by number; by whole id in what earlier versions wrote. */
type StoredHold = readonly [string | number, number, ...(string | number)[]];

function isOne(read: StoredHold | readonly StoredHold[]): read is StoredHold {
  return !Array.isArray(read[0]);
}

/**
 * For each other session of which a branch's history reads something, what it reads there. Seq 0 is common to the
 * family, so that its root is always among them.
 */
export async function foreignReach(
  load: LoadTimelines,
  sessionId: string,
  timeline: NewTimeline,
): Promise<ReadonlyMap<string, HoldValue>> {
  const reach = new Map<string, HoldValue>();
  const reaches = (timelineId: string, more: { seq?: number; chunk?: string }): void => {
    const owner = parseTimelineId(timelineId).sessionId;
    if (owner === sessionId) return;
    const before = reach.get(owner) ?? { timelineId, seq: 0, chunks: [] };
    const chunks = more.chunk === undefined ? before.chunks : [...before.chunks, more.chunk];
    const last = more.seq === undefined ? before : { timelineId, seq: more.seq };
    reach.set(owner, { timelineId: last.timelineId, seq: last.seq, chunks });
  };
  reaches(timeline.root, { seq: 0 });
  await visit(load, timeline, 1, timeline.base?.seq ?? 0, (entry, last) => {
    if (entry.level === 0) reaches(entry.timelineId, { seq: last });
    else reaches(entry.timelineId, { chunk: entry.timelineId });
  });
  return reach;
}

/** What of a session's own timelines the histories of these holds read: turns, variables, lineage. */
export async function ownReach(
  load: LoadTimelines,
  sessionId: string,
  holds: readonly HoldValue[],
): Promise<readonly KeptTimeline[]> {
  const kept = new Map<string, KeptTimeline>();
  const isOwn = (id: string): boolean => parseTimelineId(id).sessionId === sessionId;
  const keep = (more: KeptTimeline): boolean => {
    if (!isOwn(more.timelineId)) return false;
    const before = kept.get(more.timelineId);
    const merged = before === undefined ? more : furthest(before, more);
    kept.set(more.timelineId, merged);
    return merged !== before;
  };
  /** The turns up to a seq, and the variables as they are there. */
  const keepUpTo = (timelineId: string, seq: number): void => {
    const variables = { position: seq * 2, revision: Number.MAX_SAFE_INTEGER };
    keep({ timelineId, seq, variables });
  };
  for (const hold of holds) {
    const [timeline] = await load([hold.timelineId]);
    if (!timeline) continue;
    keepUpTo(hold.timelineId, Math.min(hold.seq, timeline.base?.seq ?? 0));
    for (const { timelineId, to } of await segmentsBetween(load, timeline, 1, hold.seq)) {
      keepUpTo(timelineId, to);
    }
    // Rows that hold nothing but chunks: those of the branch's lineage, and of the point's own one.
    const chunks = [...hold.chunks];
    await visit(load, timeline, 1, hold.seq, (entry) => {
      if (entry.level > 0) chunks.push(entry.timelineId);
    });
    for (const timelineId of chunks) keep({ timelineId, seq: 0, variables: null });
  }
  // A timeline without variables of its own starts with those of its base, which may stand on another one.
  for (const queue = [...kept.keys()]; queue.length > 0; ) {
    const [row] = await load([queue.pop() as string]);
    const at = row?.base?.variables ?? null;
    if (at === null) continue;
    const { position, revision, timelineId } = at;
    if (keep({ timelineId, seq: 0, variables: { position, revision } })) queue.push(timelineId);
  }
  return [...kept.values()];
}

function furthest(a: KeptTimeline, b: KeptTimeline): KeptTimeline {
  const seq = Math.max(a.seq, b.seq);
  const variables = later(a.variables, b.variables);
  return seq === a.seq && variables === a.variables ? a : { ...a, seq, variables };
}

function later(
  a: KeptTimeline['variables'],
  b: KeptTimeline['variables'],
): KeptTimeline['variables'] {
  if (a === null || b === null) return a ?? b;
  const after = b.position > a.position || (b.position === a.position && b.revision > a.revision);
  return after ? b : a;
}
