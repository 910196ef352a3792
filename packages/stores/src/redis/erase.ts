import {
  deletedBy,
  type EraseRequest,
  type EraseResult,
  isVisible,
  type KeptTimeline,
  meetsGuard,
  type StagedTimeline,
  type StoredSession,
  toSessionHead,
} from '@lexigram/ai-session/store';
import { changeSession, notFound, type Plan } from './change-session.ts';
import type { RunRedis } from './client.ts';
import type { RedisEngine } from './engine.ts';
import { type FeedElement, noteChange, noteDue } from './flush.ts';
import type { Keys } from './keys.ts';
import {
  numberOf,
  readOffset,
  readRecord,
  readTurn,
  type State,
  upTo,
  writeRecord,
} from './rows.ts';
import { FlushSteps } from './steps.ts';

/** Kinds of records that a tombstone keeps: what branches hold. */
const keptKinds: ReadonlySet<string> = new Set(['branch', 'hold', 'held']);

/** Deletes sessions, a piece at a time. */
export class Eraser {
  readonly #run: RunRedis;
  readonly #engine: RedisEngine;
  readonly #keys: Keys;

  constructor(run: RunRedis, engine: RedisEngine, keys: Keys) {
    this.#run = run;
    this.#engine = engine;
    this.#keys = keys;
  }

  async erase(sessionId: string, request: EraseRequest, until: number): Promise<EraseResult> {
    return changeSession(this.#engine, this.#keys, sessionId, until, (state) =>
      request.staged === undefined
        ? this.#plan(sessionId, state, request, until)
        : this.#planStaged(sessionId, state, request.staged, request, until),
    );
  }

  async #plan(
    sessionId: string,
    { row }: State,
    request: EraseRequest,
    until: number,
  ): Promise<Plan> {
    const steps = new FlushSteps();
    let session = row;
    let buried: EraseResult['buried'] = null;
    if (session.status !== 'deleted') {
      if (!isVisible(session, request.owner)) return { result: notFound, row: null, steps };
      const now = this.#engine.now();
      const revision = session.revision + 1;
      buried = toSessionHead({ ...session, revision, updatedAt: now }, now);
      session = { ...session, status: 'deleted', revision, updatedAt: now, dueAt: now };
      await this.#bury(steps, session, request, until);
    }
    const parent = session.parentSessionId;
    if (request.keep === undefined) {
      const result = { found: true, done: false, parent, buried };
      return { result, row: buried === null ? null : session, steps };
    }
    const done = await this.#shrink(steps, sessionId, request.keep, request.limit, until);
    if (done) {
      session = { ...session, dueAt: null };
      const { due, register, tombstones } = this.#keys;
      steps.aside(register, 'ZREM', due, sessionId);
      steps.aside(register, 'ZADD', tombstones, session.updatedAt, sessionId);
    }
    return { result: { found: true, done, parent, buried }, row: session, steps };
  }

  /** Leaves a tombstone: nothing of what was said or noted but what branches may hold. */
  async #bury(
    steps: FlushSteps,
    { revision, sessionId, tenantId, updatedAt, userId }: StoredSession,
    { operation }: EraseRequest,
    until: number,
  ): Promise<void> {
    const keys = this.#keys;
    const base = keys.base(sessionId);
    const kinds = (await this.#run(['SMEMBERS', `${base}kinds`], until)) as string[];
    for (const kind of kinds) {
      // Their times come up by themselves, and are found to be nobody's.
      if (!keptKinds.has(kind)) steps.step('unrecordall', base, kind);
    }
    const users = keys.userRegister(userId);
    steps.aside(keys.register, 'ZREM', keys.all, sessionId);
    steps.aside(users, 'ZREM', keys.user(userId), sessionId);
    steps.aside(users, 'ZREM', keys.owner({ tenantId, userId }, 'open'), sessionId);
    steps.aside(keys.register, 'ZADD', keys.due, updatedAt, sessionId);
    steps.step('DEL', `${base}m`);
    steps.step('DEL', `${base}f`);
    steps.step('SET', `${base}fo`, revision - 1);
    const element: FeedElement = { j: [[0, 'deleted', updatedAt, null]] };
    steps.step('RPUSH', `${base}f`, JSON.stringify(element));
    const told = JSON.stringify([tenantId, userId]);
    noteChange(steps, keys, sessionId, revision, told, updatedAt);
    if (operation === undefined) return;
    const record = deletedBy(operation, updatedAt);
    steps.step('record', base, record.kind, record.key, writeRecord(record), '');
    if (record.dueAt !== null) noteDue(steps, keys, sessionId, record, record.dueAt);
  }

  async #planStaged(
    sessionId: string,
    { row }: State,
    { guard, timelineId }: StagedTimeline,
    { limit, owner }: EraseRequest,
    until: number,
  ): Promise<Plan> {
    const steps = new FlushSteps();
    const base = this.#keys.base(sessionId);
    const n = numberOf(timelineId);
    const text = (await this.#run(['HGET', `${base}r:${guard.kind}`, guard.key], until)) as
      | string
      | null;
    const record = text === null ? undefined : readRecord(guard.kind, guard.key, text);
    const fits =
      isVisible(row, owner) && n !== row.timeline && meetsGuard(record, guard, this.#engine.now());
    if (!fits) return { result: notFound, row: null, steps };
    const dropped = await this.#dropTurns(steps, sessionId, n, 0, limit, until);
    const done = dropped < limit;
    if (done) {
      this.#dropTimeline(steps, base, n);
      steps.step('unrecord', base, guard.kind, guard.key);
    }
    return { result: { ...notFound, found: true, done }, row, steps };
  }

  #dropTimeline(steps: FlushSteps, base: string, n: number): void {
    steps.step('DEL', `${base}v:${n}`);
    steps.step('DEL', `${base}t:${n}`);
    steps.step('base', base, n, '');
    steps.step('HDEL', `${base}o`, n);
    steps.step('HDEL', `${base}tl`, n);
  }

  async #shrink(
    steps: FlushSteps,
    sessionId: string,
    keep: readonly KeptTimeline[],
    limit: number,
    until: number,
  ): Promise<boolean> {
    const base = this.#keys.base(sessionId);
    const kept = new Map(keep.map((timeline) => [numberOf(timeline.timelineId), timeline]));
    const numbers = (await this.#run(['HKEYS', `${base}tl`], until)) as string[];
    let left = limit;
    for (const n of numbers.map(Number).sort((a, b) => a - b)) {
      const reach = kept.get(n);
      left -= await this.#dropTurns(steps, sessionId, n, reach?.seq ?? 0, left, until);
      if (left <= 0) return false;
      if (reach === undefined) {
        this.#dropTimeline(steps, base, n);
        continue;
      }
      const from = reach.variables === null ? '-' : `(${upTo(reach.variables)}`;
      steps.step('ZREMRANGEBYLEX', `${base}v:${n}`, from, '+');
    }
    return true;
  }

  /** Drops the last `limit` turns after `seq`; how many they are. */
  async #dropTurns(
    steps: FlushSteps,
    sessionId: string,
    n: number,
    after: number,
    limit: number,
    until: number,
  ): Promise<number> {
    const base = this.#keys.base(sessionId);
    const [text, length] = (await Promise.all([
      this.#run(['HGET', `${base}o`, n], until),
      this.#run(['LLEN', `${base}t:${n}`], until),
    ])) as [string | null, number];
    const offset = readOffset(text ?? '');
    const keptCount = Math.max(0, Math.min(length, after - offset.first + 1));
    const from = Math.max(keptCount, length - limit);
    if (from >= length) return 0;
    const rows = (await this.#run(['LRANGE', `${base}t:${n}`, from, -1], until)) as string[];
    for (const [i, row] of rows.entries()) {
      const place = { timelineId: `${sessionId}.${n}`, seq: offset.first + from + i };
      const { turn } = readTurn(row, place, offset);
      steps.step('HDEL', `${base}${turn.origin === null ? 'i' : 'c'}`, turn.turnId);
    }
    if (from === 0) steps.step('DEL', `${base}t:${n}`);
    else steps.step('LTRIM', `${base}t:${n}`, 0, from - 1);
    return rows.length;
  }
}
