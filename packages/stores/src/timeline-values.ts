import { SessionCorruptDataError } from '@lexigram/ai-session';
import {
  type MergedPoint,
  type Point,
  parseTimelineId,
  type TimelineRow,
  type VariablesVersion,
} from '@lexigram/ai-session/store';
import { readLineage, writeLineage } from './lineage-text.ts';

/** The columns of a timeline, in the order of `timelineValues`. */
export const timelineColumns = 'base, lineage, chunks, root, previous, merged';

export function timelineValues(
  timeline: TimelineRow,
  sessionId: string,
): (string | number | null)[] {
  const own = (id: string): number => Number(id.slice(sessionId.length + 1));
  const chunks = Object.entries(timeline.chunks).map(([level, entries]) => [
    Number(level),
    writeLineage(entries),
  ]);
  return [
    timeline.base === null ? null : writePoint(timeline.base),
    timeline.lineage.length === 0 ? '' : writeLineage(timeline.lineage),
    chunks.length === 0 ? null : JSON.stringify(chunks),
    timeline.root === likelyRoot(timeline.base, sessionId) ? null : timeline.root,
    timeline.previous === null ? null : own(timeline.previous),
    timeline.merged === undefined ? null : JSON.stringify(timeline.merged.map(writeMerged)),
  ];
}

export function toTimeline(
  row: Readonly<Record<string, unknown>>,
  sessionId: string,
  timelineId: string,
): TimelineRow {
  const base = row.base as string | null;
  const chunks = row.chunks as string | null;
  const lineage = row.lineage as string;
  const previous = row.previous as number | null;
  const merged = row.merged as string | null;
  try {
    const point = base === null ? null : readPoint(base);
    return {
      timelineId,
      base: point,
      lineage: lineage === '' ? [] : readLineage(lineage),
      chunks:
        chunks === null
          ? {}
          : Object.fromEntries(
              (JSON.parse(chunks) as [number, string][]).map(([level, text]) => [
                level,
                readLineage(text),
              ]),
            ),
      root: (row.root as string | null) ?? likelyRoot(point, sessionId),
      previous: previous === null ? null : `${sessionId}.${previous}`,
      ...(merged === null
        ? {}
        : { merged: (JSON.parse(merged) as StoredMerged[]).map(readMerged) }),
    };
  } catch (cause) {
    throw new SessionCorruptDataError(`timeline '${timelineId}'`, 'its row is unreadable', {
      cause,
    });
  }
}

/** The root of most timelines, which is not written: the first timeline of the session that the base lies in. */
function likelyRoot(base: Point | null, sessionId: string): string {
  return `${base === null ? sessionId : parseTimelineId(base.timelineId).sessionId}.1`;
}

type StoredMerged = readonly [
  sessionId: string,
  point: string,
  turns: number,
  ...standing: number[],
];

function writeMerged({ point, sessionId, standing, turns }: MergedPoint): StoredMerged {
  return [sessionId, writePoint(point), turns, ...standing];
}

function readMerged([sessionId, point, turns, ...standing]: StoredMerged): MergedPoint {
  return { sessionId, point: readPoint(point), turns, standing };
}

function writePoint(point: Point): string {
  const { cost, seq, timelineId, tokens, turnId, variables } = point;
  const at =
    variables === null ? [] : [variables.timelineId, variables.position, variables.revision];
  return JSON.stringify([timelineId, seq, turnId, tokens, cost, ...at]);
}

export function readPoint(text: string): Point {
  const [timelineId, seq, turnId, tokens, cost, ...at] = JSON.parse(text) as [
    string,
    number,
    string | null,
    number,
    number,
    string?,
    number?,
    number?,
  ];
  const variables: VariablesVersion | null =
    at[0] === undefined ? null : { timelineId: at[0], position: at[1] ?? 0, revision: at[2] ?? 0 };
  return { timelineId, seq, turnId, tokens, cost, variables };
}
