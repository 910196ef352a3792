import type { Engine } from '../manager/engine.ts';
import { parseTimelineId, timelineId } from '../session/ids.ts';
import type { RecordWrite } from '../store/port.ts';
import type { RecordRow } from '../store/rows.ts';

/** Records of timelines that are being filled out of sight; the key is the timeline's number. */
export const stagedKind = 'staged';
const kind = stagedKind;

/** Turns that are erased in one transaction. */
export const eraseBatch = 1_000;
/** How long a sweeper may take for a batch before another one goes on. */
const leaseMs = 15_000;

/**
 * The record that says that a timeline stays out of sight: written with the commit that opens the timeline, again
 * with `sameVersion` by each one that fills it, and deleted by the one that swings the pointer to it. Each of those
 * guards its version, and so is refused once a sweep has begun to erase what nobody filled for `dueInMs`.
 */
export function stagedRecord(
  id: string,
  dueInMs: number,
): Exclude<RecordWrite, { readonly delete: true }> {
  return { kind, key: String(parseTimelineId(id).n), value: '', dueInMs };
}

/** Erases a timeline out of sight whose record is past its time; false if somebody else is at it. */
export async function eraseStaged(
  engine: Engine,
  sessionId: string,
  record: RecordRow,
): Promise<boolean> {
  const id = timelineId(sessionId, Number(record.key));
  const { key, version } = record;
  const taken = await engine.put(sessionId, {
    guards: {
      records: [
        { kind, key, version },
        { kind, key, version: null, due: true },
      ],
    },
    records: [stagedRecord(id, leaseMs)],
  });
  if (taken.refused !== undefined) return false;
  const guard = { kind, key, version: version + 1 };
  for (;;) {
    const staged = { timelineId: id, guard };
    const { done, found } = await engine.erase(sessionId, { staged, limit: eraseBatch });
    if (!found || done) return found;
  }
}
