import type {
  JournalEntry,
  SessionWrites,
  StoredSession,
  TurnRow,
} from '@lexigram/ai-session/store';
import type { Keys } from './keys.ts';
import {
  baseMember,
  numberOf,
  variablesMember,
  versionMark,
  writeOffset,
  writeRecord,
  writeState,
  writeTimeline,
  writeTurn,
} from './rows.ts';
import { FlushSteps, integer } from './steps.ts';
import { usageLine } from './usage.ts';

/** How many turns each timeline holds, and where they begin: what a flush has to know of those that it adds to. */
export interface TimelineEnd {
  readonly first: number;
  readonly tokens: number;
  readonly cost: number;
}

/**
 * Writes all of a flush, or nothing of it. Turns are added to the end of their timeline's list, so that their index
 * tells their seq; `ends` has the offset of each timeline that turns are added to. `version` is the session's next.
 */
export function flushSteps(
  keys: Keys,
  writes: SessionWrites,
  ends: ReadonlyMap<number, TimelineEnd>,
  version: number,
): FlushSteps {
  const { before, row, sessionId } = writes;
  const base = keys.base(sessionId);
  const out = new FlushSteps();
  out.check('version', '', '', before === undefined ? '' : versionMark(writes.version));
  writeOwner(out, keys, writes);
  out.step('SET', `${base}s`, writeState(version, row));
  writeIndexes(out, keys, before, row);
  writeTimelines(out, base, writes, ends);
  writeTurns(out, base, writes, ends);
  for (const entry of writes.variables) {
    out.step('ZADD', `${base}v:${numberOf(entry.at.timelineId)}`, 0, variablesMember(entry));
  }
  for (const { key, kind } of writes.deleted) out.step('unrecord', base, kind, key);
  for (const { mustBeNew, record } of writes.records) {
    if (mustBeNew) out.check('absent', `${base}r:${record.kind}`, record.key, '');
    const label = record.label === null ? '' : `=${record.label}`;
    out.step('record', base, record.kind, record.key, writeRecord(record), label);
    if (record.dueAt !== null) noteDue(out, keys, sessionId, record, record.dueAt);
  }
  writeFeed(out, keys, writes, ends);
  const used = usageLine(writes);
  if (used !== null) out.aside(keys.register, 'RPUSH', keys.waiting, used);
  return out;
}

/** The sweep finds it by its time; a time that no longer fits is put right when it comes up. */
export function noteDue(
  out: FlushSteps,
  keys: Keys,
  sessionId: string,
  { key, kind }: { readonly kind: string; readonly key: string },
  dueAt: number,
): void {
  const dues = `${keys.dueRecords}${kind}`;
  out.aside(keys.register, 'ZADD', dues, dueAt, `${sessionId}\n${key}`);
  out.aside(keys.register, 'SADD', keys.dueRecords, kind);
}

function writeOwner(out: FlushSteps, keys: Keys, { before, owner, row }: SessionWrites): void {
  const spends = row.lifetimeCost - (before?.lifetimeCost ?? 0);
  const opens = Number(isOpen(row)) - Number(before !== undefined && isOpen(before));
  if (owner !== undefined) out.owner = { ...owner, opens, spends };
  if (spends === 0) return;
  out.aside(keys.userRegister(row.userId), 'spend', keys.owner(row, 'spent'), integer(spends));
}

/** Whether it counts as an open session of its owner. */
function isOpen({ parentSessionId, status }: StoredSession): boolean {
  return parentSessionId === null && (status === 'active' || status === 'suspended');
}

/** What lies beside sessions: by time, by user, by when the sweep looks, and those of an owner that are open. */
function writeIndexes(
  out: FlushSteps,
  keys: Keys,
  before: StoredSession | undefined,
  row: StoredSession,
): void {
  const { sessionId } = row;
  const { register } = keys;
  const users = keys.userRegister(row.userId);
  if (before === undefined) {
    out.aside(register, 'ZADD', keys.all, row.createdAt, sessionId);
    out.aside(users, 'ZADD', keys.user(row.userId), row.createdAt, sessionId);
  }
  if (before === undefined ? row.dueAt !== null : before.dueAt !== row.dueAt) {
    if (row.dueAt === null) out.aside(register, 'ZREM', keys.due, sessionId);
    else out.aside(register, 'ZADD', keys.due, row.dueAt, sessionId);
  }
  const was = before !== undefined && isOpen(before);
  if (!isOpen(row)) {
    if (was) out.aside(users, 'ZREM', keys.owner(row, 'open'), sessionId);
  } else if (!was || before.dueAt !== row.dueAt) {
    out.aside(users, 'ZADD', keys.owner(row, 'open'), row.dueAt ?? '+inf', sessionId);
  }
}

function writeTimelines(
  out: FlushSteps,
  base: string,
  { moved, sessionId, timelines }: SessionWrites,
  ends: ReadonlyMap<number, TimelineEnd>,
): void {
  for (const timeline of timelines) {
    const n = numberOf(timeline.timelineId);
    out.step('HSET', `${base}tl`, n, writeTimeline(timeline, sessionId));
    if (timeline.base === null) continue;
    out.step('base', base, n, baseMember(timeline));
    out.step('HSET', `${base}o`, n, writeOffset(timeline.base.seq + 1, 0, 0));
  }
  for (const { by, timeline } of moved) {
    const n = numberOf(timeline.timelineId);
    const end = ends.get(n) ?? { first: 1, tokens: 0, cost: 0 };
    out.step('HSET', `${base}tl`, n, writeTimeline(timeline, sessionId));
    out.step('base', base, n, baseMember(timeline));
    const shifted = writeOffset(end.first + by.seq, end.tokens + by.tokens, end.cost + by.cost);
    out.step('HSET', `${base}o`, n, shifted);
  }
}

function writeTurns(
  out: FlushSteps,
  base: string,
  { cleared, now, turns }: SessionWrites,
  ends: ReadonlyMap<number, TimelineEnd>,
): void {
  for (const [n, added] of Map.groupBy(turns, (turn) => numberOf(turn.timelineId))) {
    const end = ends.get(n) ?? { first: 1, tokens: 0, cost: 0 };
    const rows = added.map((turn) => {
      // Sums are kept without what the timeline's offset adds to them.
      const plain = { ...turn, tokens: turn.tokens - end.tokens, cost: turn.cost - end.cost };
      return writeTurn(plain, now);
    });
    out.push(`${base}t:${n}`, rows);
    for (const turn of added) {
      const place = `${n}:${turn.seq - end.first}`;
      if (turn.origin !== null) {
        out.step('copy', `${base}c`, turn.turnId, place);
        continue;
      }
      out.claim(`${base}i`, turn.turnId, place);
      if (turn.checkpoint !== null) out.step('ZADD', `${base}m`, turn.checkpoint, place);
    }
  }
  for (const n of cleared) out.step('ZREMRANGEBYSCORE', `${base}m`, n, n);
}

/** One element of a session's feed: what happened at one revision. */
export interface FeedElement {
  /** Turns that stand together: timeline, index of the first, how many. */
  readonly t?: readonly [n: number, index: number, count: number];
  readonly j?: readonly (readonly [part: number, type: string, at: number, data: string | null])[];
}

function writeFeed(
  out: FlushSteps,
  keys: Keys,
  { before, journal, now, row, sessionId, turns }: SessionWrites,
  ends: ReadonlyMap<number, TimelineEnd>,
): void {
  const first = (before?.revision ?? 0) + 1;
  if (row.revision < first) return;
  const seen = Map.groupBy(turns, (turn) => turn.revision ?? 0);
  const noted = Map.groupBy(journal, (entry) => entry.revision);
  const base = keys.base(sessionId);
  const elements: string[] = [];
  for (let revision = first; revision <= row.revision; revision++) {
    elements.push(JSON.stringify(toElement(seen.get(revision), noted.get(revision), ends)));
  }
  out.push(`${base}f`, elements);
  const owner = JSON.stringify([row.tenantId, row.userId]);
  for (let revision = first; revision <= row.revision; revision++) {
    noteChange(out, keys, sessionId, revision, owner, now);
  }
}

/** A line in the log: at which revision of which session something happened. */
export function noteChange(
  out: FlushSteps,
  keys: Keys,
  sessionId: string,
  revision: number,
  owner: string,
  at: number,
): void {
  const words = ['s', sessionId, 'r', revision, 'o', owner, 'a', at];
  out.aside(keys.register, 'XADD', keys.log, '*', ...words);
}

function toElement(
  turns: readonly TurnRow[] | undefined,
  journal: readonly JournalEntry[] | undefined,
  ends: ReadonlyMap<number, TimelineEnd>,
): FeedElement {
  const [turn] = turns ?? [];
  const n = turn === undefined ? 0 : numberOf(turn.timelineId);
  const index = (turn?.seq ?? 0) - (ends.get(n)?.first ?? 1);
  return {
    ...(turn === undefined ? {} : { t: [n, index, turns?.length ?? 0] as const }),
    ...(journal === undefined
      ? {}
      : { j: journal.map(({ at, data, part, type }) => [part, type, at, data] as const) }),
  };
}
