import type { Engine } from '../manager/engine.ts';
import { parseTimelineId, timelineId } from '../session/ids.ts';
import { limits } from '../session/limits.ts';
import type { SessionStore } from '../store/port.ts';
import type { Owner, SessionRow, TimelineRow } from '../store/rows.ts';
import { allRecords } from './delete.ts';
import { readHolds } from './reach.ts';
import { stagedKind } from './staged.ts';

/** A session that reads turns of another one. */
export interface Holder {
  readonly sessionId: string;
  /** The last seq that it reads there. */
  readonly seq: number;
}

/** Who reads turns of a session: those whose branch or hold stands in it, oldest first. They may be gone. */
export async function holdersOf(
  store: SessionStore,
  sessionId: string,
): Promise<readonly Holder[]> {
  const records = [
    ...(await allRecords(store, sessionId, 'branch')),
    ...(await allRecords(store, sessionId, 'hold')),
  ].sort((a, b) => a.createdAt - b.createdAt || (a.key < b.key ? -1 : 1));
  const reached = new Map<string, number>();
  for (const { key, value } of records) {
    const seqs = readHolds(value, sessionId).map(({ seq }) => seq);
    reached.set(key, Math.max(reached.get(key) ?? 0, ...seqs));
  }
  return [...reached].map(([id, seq]) => ({ sessionId: id, seq }));
}

/**
 * The living sessions of a family that are one owner's, the first one first, then in the order in which they came.
 * Seq 0 is common to the family, so that each of its sessions holds something in the first one, gone or not.
 */
export async function livingFamily(
  engine: Engine,
  root: string,
  owner: Owner,
): Promise<readonly SessionRow[]> {
  const first = parseTimelineId(root).sessionId;
  const holders = await holdersOf(engine.store, first);
  const ids = [first, ...holders.map(({ sessionId }) => sessionId).filter((id) => id !== first)];
  const rows: SessionRow[] = [];
  for (let at = 0; at < ids.length; at += limits.page) {
    const page = ids.slice(at, at + limits.page);
    const read = await Promise.all(page.map((id) => engine.store.session(id, owner)));
    rows.push(...read.filter((row) => row !== null));
  }
  return rows;
}

/** The numbers of a session's timelines that are being filled out of sight. */
export async function stagedNumbers(
  store: SessionStore,
  sessionId: string,
): Promise<ReadonlySet<number>> {
  const records = await allRecords(store, sessionId, stagedKind);
  return new Set(records.map(({ key }) => Number(key)));
}

/** A session's timelines with the numbers `from` to `to`, without those that are out of sight, in order. */
export async function shownTimelines(
  store: SessionStore,
  sessionId: string,
  from: number,
  to: number,
): Promise<readonly TimelineRow[]> {
  if (to < from) return [];
  const numbers = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const rows = await store.timelines(numbers.map((n) => timelineId(sessionId, n)));
  const staged = await stagedNumbers(store, sessionId);
  return rows.filter(
    (row): row is TimelineRow => row !== null && !staged.has(parseTimelineId(row.timelineId).n),
  );
}
