import { randomInt } from 'node:crypto';
import { SessionCorruptDataError } from '@lexigram/ai-session';
import {
  foldVariables,
  type RecordRow,
  type StoredSession,
  type TimelineRow,
  type TurnRow,
  type VariablesEntry,
  type VariablesRow,
  type VariablesVersion,
} from '@lexigram/ai-session/store';
import { timelineColumns, timelineValues, toTimeline } from '../timeline-values.ts';

/**
 * A session's state as one text: its version, the number of its current timeline, then its fields. Versions are
 * random: what a server lost with its memory, and somebody wrote anew, is never taken for what it was.
 */
export function writeState(version: number, row: StoredSession): string {
  return `${versionMark(version)}${row.timeline} ${JSON.stringify(row)}`;
}

/** What the state at a version begins with. */
export function versionMark(version: number): string {
  return `${version}:`;
}

/** Some 281 billion of them; never 0. */
export function newVersion(): number {
  return 1 + randomInt(2 ** 48 - 1);
}

export interface State {
  readonly version: number;
  readonly row: StoredSession;
}

export function readState(text: string, sessionId: string): State {
  try {
    return {
      version: Number(text.slice(0, text.indexOf(':'))),
      row: JSON.parse(text.slice(text.indexOf(' '))),
    };
  } catch (cause) {
    throw new SessionCorruptDataError(`session '${sessionId}'`, 'its state is unreadable', {
      cause,
    });
  }
}

/** Members with their scores: one list in one version of the protocol, a list of pairs in another. */
export function readScores(reply: unknown): readonly (readonly [member: string, score: number])[] {
  const found = reply as readonly unknown[];
  if (Array.isArray(found[0])) {
    return (found as readonly [string, number | string][]).map(([it, score]) => [
      it,
      Number(score),
    ]);
  }
  return Array.from({ length: found.length / 2 }, (_, i) => [
    found[i * 2] as string,
    Number(found[i * 2 + 1]),
  ]);
}

/** The number of a timeline within its session. */
export function numberOf(timelineId: string): number {
  return Number(timelineId.slice(timelineId.lastIndexOf('.') + 1));
}

/** A turn as it is kept: a line of what the store knows, then its body as it came. */
export function writeTurn(turn: TurnRow, now: number): string {
  const { at, body, checkpoint, cost, origin, revision, tokens, turnId } = turn;
  const stored = at === now ? 0 : now;
  const from = origin === null ? [] : [origin.timelineId, origin.seq];
  const head = [turnId, at, stored, revision, tokens, cost, checkpoint, ...from];
  return `${JSON.stringify(head)}\n${body}`;
}

/** Where a timeline's turns stand, and what is added to their sums: `first tokens cost`, or nothing for `1 0 0`. */
export function writeOffset(first: number, tokens: number, cost: number): string {
  return `${first} ${tokens} ${cost}`;
}

export interface Offset {
  readonly first: number;
  readonly tokens: number;
  readonly cost: number;
}

export function readOffset(text: string): Offset {
  const [first = 1, tokens = 0, cost = 0] = text === '' ? [] : text.split(' ').map(Number);
  return { first, tokens, cost };
}

type TurnHead = [
  turnId: string,
  at: number,
  stored: number,
  revision: number | null,
  tokens: number,
  cost: number,
  checkpoint: number | null,
  originTimeline?: string,
  originSeq?: number,
];

export interface StoredTurn {
  readonly turn: TurnRow;
  readonly storedAt: number;
}

export function readTurn(
  text: string,
  place: { readonly timelineId: string; readonly seq: number },
  offset: Offset,
): StoredTurn {
  const line = text.indexOf('\n');
  let head: TurnHead;
  try {
    head = JSON.parse(text.slice(0, line)) as TurnHead;
  } catch (cause) {
    const where = `timeline '${place.timelineId}' seq ${place.seq}`;
    throw new SessionCorruptDataError(where, 'its row is unreadable', { cause });
  }
  const [turnId, at, stored, revision, tokens, cost, checkpoint, timelineId, seq] = head;
  const turn: TurnRow = {
    ...place,
    turnId,
    body: text.slice(line + 1),
    at,
    revision,
    tokens: tokens + offset.tokens,
    cost: cost + offset.cost,
    origin: timelineId === undefined ? null : { timelineId, seq: seq ?? 0 },
    checkpoint,
  };
  return { turn, storedAt: stored === 0 ? at : stored };
}

export function writeRecord({ createdAt, dueAt, label, value, version }: RecordRow): string {
  return `${JSON.stringify([version, label, dueAt, createdAt])}\n${value}`;
}

export function readRecord(kind: string, key: string, text: string): RecordRow {
  const line = text.indexOf('\n');
  const [version, label, dueAt, createdAt] = JSON.parse(text.slice(0, line)) as [
    number,
    string | null,
    number | null,
    number,
  ];
  return { kind, key, version, value: text.slice(line + 1), label, dueAt, createdAt };
}

export function writeTimeline(timeline: TimelineRow, sessionId: string): string {
  return JSON.stringify(timelineValues(timeline, sessionId));
}

export function readTimeline(text: string, sessionId: string, n: number): TimelineRow {
  const values = JSON.parse(text) as readonly unknown[];
  const names = timelineColumns.split(', ');
  const row = Object.fromEntries(names.map((name, i) => [name, values[i] ?? null]));
  return toTimeline(row, sessionId, `${sessionId}.${n}`);
}

/** Where a timeline stands among those that start at the same point. */
export function baseMember({ base, timelineId }: TimelineRow): string {
  return base === null ? '' : `${basePlace(base)}${padded(numberOf(timelineId))}`;
}

export function basePlace(base: { readonly timelineId: string; readonly seq: number }): string {
  return `${base.timelineId}@${base.seq}#`;
}

/** A number whose texts sort as it does. */
export function padded(n: number): string {
  return String(n).padStart(15, '0');
}

/** A version of variables whose texts sort as versions do. */
export function variablesMember({ at, value, whole }: VariablesEntry): string {
  return `${padded(at.position)}.${padded(at.revision)}${whole ? '=' : '+'}${value}`;
}

/** The highest number that `padded` can sort. */
const highest = 999_999_999_999_999;

/** A text behind all versions at or before this one, and before all others. */
export function upTo({ position, revision }: Omit<VariablesVersion, 'timelineId'>): string {
  return `${padded(Math.min(position, highest))}.${padded(Math.min(revision, highest))}~`;
}

export function readVariables(timelineId: string, member: string): VariablesEntry {
  const position = Number(member.slice(0, 15));
  const revision = Number(member.slice(16, 31));
  const at = { timelineId, position, revision };
  return { at, whole: member[31] === '=', value: member.slice(32) };
}

/** Variables from the newest versions, newest first; undefined if there are none. */
export function foldMembers(
  timelineId: string,
  members: readonly string[],
): VariablesRow | undefined {
  const newestFirst = members.map((member) => readVariables(timelineId, member));
  const newest = newestFirst[0];
  return newest === undefined ? undefined : { at: newest.at, json: foldVariables(newestFirst) };
}
