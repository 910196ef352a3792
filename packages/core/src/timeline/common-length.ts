import type { LineageEntry, Segment } from '../store/rows.ts';
import type { History } from './history.ts';

/** An entry of a lineage, and the last seq that it covers. */
type Covered = LineageEntry & { readonly last: number };

/**
 * How many turns two histories begin with in common: the same places, not only the same texts. Of a long lineage
 * only what follows the entries that both have is read.
 */
export async function commonLength(a: History, b: History): Promise<number> {
  if (a.timeline.root !== b.timeline.root) return 0;
  const [left, right] = [entriesOf(a), entriesOf(b)];
  let shared = 0;
  for (const [i, entry] of left.entries()) {
    if (!isSame(entry, right[i])) break;
    shared = entry.last;
  }
  const [ours, theirs] = await Promise.all([
    a.segments(shared + 1, a.length),
    b.segments(shared + 1, b.length),
  ]);
  return Math.max(shared, sharedEnd(ours, theirs));
}

function entriesOf({ length, timeline }: History): readonly Covered[] {
  const baseSeq = timeline.base?.seq ?? 0;
  const own = { from: baseSeq + 1, timelineId: timeline.timelineId, level: 0 };
  const entries = [...timeline.lineage, own].filter(({ from }) => from <= length);
  return entries.map((entry, i) => ({ ...entry, last: (entries[i + 1]?.from ?? length + 1) - 1 }));
}

function isSame(a: Covered, b: Covered | undefined): boolean {
  return (
    b !== undefined &&
    a.timelineId === b.timelineId &&
    a.level === b.level &&
    a.from === b.from &&
    a.last === b.last
  );
}

function sharedEnd(a: readonly Segment[], b: readonly Segment[]): number {
  let end = 0;
  for (const [i, left] of a.entries()) {
    const right = b[i];
    if (right === undefined || left.timelineId !== right.timelineId) return end;
    end = Math.min(left.to, right.to);
    if (left.to !== right.to) return end;
  }
  return end;
}
