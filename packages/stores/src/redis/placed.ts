import type { MarkRow, TimelineRow } from '@lexigram/ai-session/store';
import {
  numberOf,
  readOffset,
  readTimeline,
  readTurn,
  readVariables,
  type StoredTurn,
} from './rows.ts';

/** What a place of a turn is answered with: timeline, index, offset, row. */
export type Placed = readonly [n: string, index: number | string, offset: string, row: string];

export type MarkAnswer = readonly [
  place: Placed,
  versions: readonly string[],
  timeline: string | null,
];

/** A turn from its place. */
export function toTurn([n, index, text, row]: Placed, sessionId: string): StoredTurn {
  const offset = readOffset(text);
  const place = { timelineId: `${sessionId}.${n}`, seq: offset.first + Number(index) };
  return readTurn(row, place, offset);
}

/** An automatic checkpoint from the place of its turn, the variables there, and its timeline. */
export function toMark([place, versions, timeline]: MarkAnswer, sessionId: string): MarkRow {
  const { storedAt, turn } = toTurn(place, sessionId);
  const [version] = versions;
  const row: TimelineRow | null =
    timeline === null ? null : readTimeline(timeline, sessionId, numberOf(turn.timelineId));
  const variables =
    version === undefined
      ? (row?.base?.variables ?? null)
      : readVariables(turn.timelineId, version).at;
  return { turn, createdAt: storedAt, variables };
}
