import { parseTimelineId } from '../session/ids.ts';
import type { KeptTimeline, LineageEntry, TimelineRow } from '../store/port.ts';
import { type LoadTimelines, segmentsBetween } from '../timeline/lineage.ts';

/** What a hold says: the branch reads the history that ends here. */
export interface HoldValue {
  readonly timelineId: string;
  readonly seq: number;
}

/** For each other session whose turns a history reads, the last point that it reads there. */
export async function foreignReach(
  load: LoadTimelines,
  sessionId: string,
  timeline: TimelineRow,
): Promise<ReadonlyMap<string, HoldValue>> {
  const reach = new Map<string, HoldValue>();
  const segments = await segmentsBetween(load, timeline, 1, timeline.base?.seq ?? 0);
  for (const { timelineId, to } of segments) {
    const owner = parseTimelineId(timelineId).sessionId;
    if (owner !== sessionId) reach.set(owner, { timelineId, seq: to });
  }
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
    const before = kept.get(more.timelineId);
    const merged = before === undefined ? more : furthest(before, more);
    kept.set(more.timelineId, merged);
    return before === undefined || merged !== before;
  };
  for (const hold of holds) {
    const [timeline] = await load([hold.timelineId]);
    if (!timeline) continue;
    for (const id of chunkHosts(timeline.lineage, timeline)) {
      if (isOwn(id)) keep({ timelineId: id, seq: 0, variables: null });
    }
    const segments = await segmentsBetween(load, timeline, 1, hold.seq);
    for (const { timelineId, to } of segments) {
      if (!isOwn(timelineId)) continue;
      const variables = { position: to * 2, revision: Number.MAX_SAFE_INTEGER };
      keep({ timelineId, seq: to, variables });
    }
    keep({ timelineId: hold.timelineId, seq: 0, variables: null });
  }
  // A timeline without variables of its own starts with those of its base, which may stand on another one.
  for (const queue = [...kept.keys()]; queue.length > 0; ) {
    const [row] = await load([queue.pop() as string]);
    const at = row?.base?.variables ?? null;
    if (at === null || !isOwn(at.timelineId)) continue;
    const { position, revision, timelineId } = at;
    const grew = keep({ timelineId, seq: 0, variables: { position, revision } });
    if (grew) queue.push(timelineId);
  }
  return [...kept.values()];
}

/** The timelines in whose rows the chunks of a lineage stand. */
function chunkHosts(entries: readonly LineageEntry[], timeline: TimelineRow): readonly string[] {
  const hosts = entries.filter((entry) => entry.level > 0).map((entry) => entry.timelineId);
  return [...new Set([...hosts, timeline.timelineId])];
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
