import { isVisible } from '../session/is-visible.ts';
import { limits } from '../session/limits.ts';
import { readStored } from '../session/read-stored.ts';
import { toIso } from '../session/time.ts';
import type { RecordWrite, SessionStore } from '../store/port.ts';
import type { RecordRow, SessionRow, TurnRow } from '../store/rows.ts';
import type { History } from '../timeline/history.ts';

/** A summary that stands for the oldest turns of a history; the turns themselves stay. */
export interface Overlay {
  readonly summary: string;
  /** The last turn that is in it. */
  readonly toSeq: number;
  readonly toTurn: string;
  readonly createdAt: string;
}

/** Who may see a turn. */
type Visibility = Parameters<typeof isVisible>[0];

/** A summary as it is stored. */
export interface StoredOverlay extends Overlay {
  /** Who may see what is in it, each rule once; null if there are more rules than are kept. */
  readonly rules: readonly Visibility[] | null;
}

const kind = 'overlay';

/** Rules of visibility that are kept with a summary. */
const rulesKept = 100;

/** How many sessions up a branch looks for a summary that its parents made. */
const generations = 8;

/** The key sorts by seq; the timeline is the one that holds the turn, so that each point has one summary. */
export function overlayKey({ seq, timelineId }: Pick<TurnRow, 'seq' | 'timelineId'>): string {
  return `${String(seq).padStart(12, '0')}.${timelineId}`;
}

export function overlayRecord(
  summary: string,
  to: TurnRow,
  rules: readonly Visibility[] | null,
): RecordWrite {
  const { seq, timelineId, turnId } = to;
  const value = JSON.stringify({ summary, to: { timelineId, seq, turnId }, rules });
  return { kind, key: overlayKey(to), value };
}

/** The rules of a summary before and of turns that join it; null if they are too many to keep. */
export function joinRules(
  before: StoredOverlay | null,
  turns: readonly Visibility[],
): readonly Visibility[] | null {
  if (before !== null && before.rules === null) return null;
  const rules = new Map<string, Visibility>();
  for (const { hiddenFrom, visibleTo } of [...(before?.rules ?? []), ...turns]) {
    if (hiddenFrom === undefined && visibleTo === undefined) continue;
    const rule = {
      ...(visibleTo === undefined ? {} : { visibleTo }),
      ...(hiddenFrom === undefined ? {} : { hiddenFrom }),
    };
    rules.set(JSON.stringify(rule), rule);
    if (rules.size > rulesKept) return null;
  }
  return [...rules.values()];
}

/** Whether a viewer may see all that is in a summary: what is hidden from it must not come to it in other words. */
function isFor({ rules }: StoredOverlay, viewer: string | undefined): boolean {
  if (viewer === undefined) return true;
  return rules?.every((rule) => isVisible(rule, viewer)) ?? false;
}

/**
 * The newest summary whose last turn the history shows: made in this session, or in one that it branched off. After
 * a move to before its end it is out of sight, and comes back with an undo. For a viewer it is one in which there is
 * nothing that is hidden from it.
 */
export async function findOverlay(
  store: SessionStore,
  row: SessionRow,
  history: History,
  viewer: string | undefined,
): Promise<StoredOverlay | null> {
  let best: StoredOverlay | null = null;
  let session: SessionRow | null = row;
  let last = history.length;
  for (let n = 0; n < generations && session !== null; n++) {
    const found = await newestIn(store, session.sessionId, history, last, viewer);
    if (found !== null && found.toSeq > (best?.toSeq ?? 0)) best = found;
    // What a parent summed up later than where the branch started is not in the branch's history.
    last = Math.min(last, session.parent?.forkSeq ?? 0);
    session = session.parent === null ? null : await store.session(session.parent.sessionId);
  }
  return best;
}

async function newestIn(
  store: SessionStore,
  sessionId: string,
  history: History,
  last: number,
  viewer: string | undefined,
): Promise<StoredOverlay | null> {
  let after = `${String(last + 1).padStart(12, '0')}`;
  for (;;) {
    const page = { limit: limits.page, order: 'desc', after } as const;
    const records = await store.records(sessionId, kind, page);
    for (const record of records) {
      const { overlay, timelineId } = readOverlay(sessionId, record);
      if (isFor(overlay, viewer) && (await history.has({ timelineId, seq: overlay.toSeq })))
        return overlay;
    }
    const next = records.at(-1)?.key;
    if (records.length < limits.page || next === undefined) return null;
    after = next;
  }
}

function readOverlay(
  sessionId: string,
  record: RecordRow,
): { readonly overlay: StoredOverlay; readonly timelineId: string } {
  const place = `the summary '${record.key}' of session '${sessionId}'`;
  const { rules, summary, to } = readStored(record.value, place);
  const end = to as { readonly timelineId: string; readonly seq: number; readonly turnId: string };
  const overlay = Object.freeze({
    summary: String(summary),
    toSeq: end.seq,
    toTurn: end.turnId,
    createdAt: toIso(record.createdAt),
    rules: rules as StoredOverlay['rules'],
  });
  return { overlay, timelineId: end.timelineId };
}

/** A summary as callers see it. */
export function shownOverlay(overlay: StoredOverlay | null): Overlay | null {
  if (overlay === null) return null;
  const { rules: _, ...shown } = overlay;
  return Object.freeze(shown);
}
