import { SessionStoreUnavailableError } from '@lexigram/ai-session';
import {
  type DueItem,
  type DuePage,
  deletedBy,
  type EraseRequest,
  type EraseResult,
  isVisible,
  type KeptTimeline,
  meetsGuard,
  type StagedTimeline,
  type StoredSession,
  statusAt,
  toSessionHead,
} from '@lexigram/ai-session/store';
import type { RunRedis } from './client.ts';
import type { RedisEngine } from './engine.ts';
import type { FeedElement } from './flush.ts';
import type { Keys } from './keys.ts';
import {
  numberOf,
  readOffset,
  readRecord,
  readScores,
  readTurn,
  type State,
  upTo,
  writeRecord,
  writeState,
} from './rows.ts';
import { FlushSteps } from './steps.ts';

const notFound: EraseResult = { found: false, done: true, parent: null, buried: null };

/** Kinds of records that a tombstone keeps: what branches hold. */
const keptKinds: ReadonlySet<string> = new Set(['branch', 'hold', 'held']);

/** What an erase does to a session as it stands: its answer, and what is written for it. */
interface Plan {
  readonly result: EraseResult;
  /** The state afterwards; null writes nothing. */
  readonly row: StoredSession | null;
  readonly steps: FlushSteps;
}

/** What deletes: the erasing of sessions, and the sweep's rows. */
export class Sweep {
  readonly #run: RunRedis;
  readonly #engine: RedisEngine;
  readonly #keys: Keys;

  constructor(run: RunRedis, engine: RedisEngine, keys: Keys) {
    this.#run = run;
    this.#engine = engine;
    this.#keys = keys;
  }

  async erase(sessionId: string, request: EraseRequest, until: number): Promise<EraseResult> {
    return this.#change(sessionId, until, (state) =>
      request.staged === undefined
        ? this.#plan(sessionId, state, request, until)
        : this.#planStaged(sessionId, state, request.staged, request, until),
    );
  }

  /** Plans on a session as it is and writes if it still is, again and again until it was. */
  async #change(
    sessionId: string,
    until: number,
    plan: (state: State) => Promise<Plan>,
  ): Promise<EraseResult> {
    /** What was sent and never answered. */
    const doubts = new Map<string, EraseResult>();
    for (;;) {
      const { state } = await this.#engine.ask(sessionId, [], until);
      if (state === undefined) return notFound;
      const told = doubts.get(writeState(state.version, state.row));
      if (told !== undefined) return told;
      const { result, row, steps } = await plan(state);
      if (row === null) return result;
      const written = writeState(state.version + 1, row);
      steps.check('version', '', '', `${state.version} `);
      steps.step('SET', `${this.#keys.base(sessionId)}s`, written);
      const { outcome } = await this.#engine.send(sessionId, steps, until);
      if (outcome === 'done') return result;
      if (outcome === 'unknown') doubts.set(written, result);
      // What was erased stays erased: the same again goes on from there.
      if (performance.now() > until) {
        throw new SessionStoreUnavailableError('locked', `session '${sessionId}' was busy`);
      }
    }
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
      steps.step('ZREM', this.#keys.due, sessionId);
      steps.step('ZADD', this.#keys.tombstones, session.updatedAt, sessionId);
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
      if (!keptKinds.has(kind)) steps.step('unrecordall', base, kind, keys.dueRecords, sessionId);
    }
    const owner = { tenantId, userId };
    steps.step('ZREM', keys.all, sessionId);
    steps.step('ZREM', keys.user(userId), sessionId);
    steps.step('ZREM', keys.owner(owner, 'open'), sessionId);
    steps.step('ZADD', keys.due, updatedAt, sessionId);
    steps.step('DEL', `${base}m`);
    steps.step('DEL', `${base}f`);
    steps.step('SET', `${base}fo`, revision - 1);
    const element: FeedElement = { j: [[0, 'deleted', updatedAt, null]] };
    steps.step('RPUSH', `${base}f`, JSON.stringify(element));
    const told = JSON.stringify([tenantId, userId]);
    steps.step('XADD', keys.log, '*', 's', sessionId, 'r', revision, 'o', told, 'a', updatedAt);
    if (operation === undefined) return;
    const record = deletedBy(operation, updatedAt);
    const words = [record.kind, record.key, writeRecord(record), '', record.dueAt ?? ''];
    steps.step('record', base, ...words, keys.dueRecords, sessionId);
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
      steps.step('unrecord', base, guard.kind, guard.key, this.#keys.dueRecords, sessionId);
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

  async due({ kind, limit, withinMs = 0 }: DuePage, until: number): Promise<readonly DueItem[]> {
    const now = this.#engine.now();
    if (kind !== undefined) return this.#dueRecords([kind], now + withinMs, limit, until);
    const items = await this.#dueSessions(now, limit, until);
    if (items.length >= limit) return items;
    const kinds = (await this.#run(['SMEMBERS', this.#keys.dueRecords], until)) as string[];
    return [...items, ...(await this.#dueRecords(kinds, now, limit - items.length, until))];
  }

  async #dueSessions(now: number, limit: number, until: number): Promise<DueItem[]> {
    for (;;) {
      const range = ['-inf', now, 'LIMIT', 0, limit];
      const ids = (await this.#run(['ZRANGEBYSCORE', this.#keys.due, ...range], until)) as string[];
      const items: DueItem[] = [];
      const states = await this.#engine.states(ids, until);
      for (const [i, sessionId] of ids.entries()) {
        const row = states[i]?.row;
        if (row?.status === 'deleted') items.push({ due: 'erase', sessionId });
        else if (row !== undefined && statusAt(row, now) === 'expired') {
          items.push({ due: 'expiry', sessionId });
        } else await this.#lookLater(sessionId, now, until);
      }
      // A page of none but touched ones says nothing about what comes behind it.
      if (items.length > 0 || ids.length < limit) return items;
    }
  }

  /** It changed since: its time is not up yet. */
  async #lookLater(sessionId: string, now: number, until: number): Promise<void> {
    const { state } = await this.#engine.ask(sessionId, [], until);
    if (state === undefined) {
      // A server that drops keys dropped its state: nothing would ever take it out of here.
      const steps = new FlushSteps();
      steps.check('version', '', '', '');
      steps.step('ZREM', this.#keys.due, sessionId);
      await this.#engine.send(sessionId, steps, until);
      return;
    }
    await this.#change(sessionId, until, async ({ row }) => {
      const steps = new FlushSteps();
      const open = row.status === 'active' || row.status === 'suspended';
      const isTouched = open && (row.expiresAt === null || row.expiresAt > now);
      if (!isTouched || row.dueAt === row.expiresAt) return { result: notFound, row: null, steps };
      const { expiresAt, parentSessionId } = row;
      if (expiresAt === null) steps.step('ZREM', this.#keys.due, sessionId);
      else steps.step('ZADD', this.#keys.due, expiresAt, sessionId);
      if (parentSessionId === null) {
        steps.step('ZADD', this.#keys.owner(row, 'open'), expiresAt ?? '+inf', sessionId);
      }
      return { result: notFound, row: { ...row, dueAt: expiresAt }, steps };
    });
  }

  async #dueRecords(
    kinds: readonly string[],
    upToTime: number,
    limit: number,
    until: number,
  ): Promise<DueItem[]> {
    const found: { readonly at: number; readonly kind: string; readonly member: string }[] = [];
    for (const kind of kinds) {
      const range = ['-inf', upToTime, 'WITHSCORES', 'LIMIT', 0, limit];
      const key = `${this.#keys.dueRecords}${kind}`;
      const members = readScores(await this.#run(['ZRANGEBYSCORE', key, ...range], until));
      for (const [member, at] of members) found.push({ at, kind, member });
    }
    found.sort((a, b) => a.at - b.at);
    const items: DueItem[] = [];
    for (const { kind, member } of found.slice(0, limit)) {
      const line = member.indexOf('\n');
      const [sessionId, key] = [member.slice(0, line), member.slice(line + 1)];
      const hash = `${this.#keys.base(sessionId)}r:${kind}`;
      const text = (await this.#run(['HGET', hash, key], until)) as string | null;
      if (text !== null) {
        items.push({ due: 'record', sessionId, record: readRecord(kind, key, text) });
      }
    }
    return items;
  }

  async collect(before: number, limit: number, until: number): Promise<number> {
    let dropped = await this.#collectLog(before, limit, until);
    dropped += await this.#collectOperations(limit - dropped, until);
    return dropped + (await this.#collectTombstones(before, limit - dropped, until));
  }

  /** Drops the oldest entries of the log, and of the sessions' feeds what was noted beside the turns. */
  async #collectLog(before: number, limit: number, until: number): Promise<number> {
    if (limit <= 0) return 0;
    const { dropped: droppedKey, log } = this.#keys;
    const entries = (await this.#run(['XRANGE', log, '-', '+', 'COUNT', limit], until)) as [
      string,
      string[],
    ][];
    let dropped = 0;
    for (const [id, fields] of entries) {
      const [, sessionId = '', , revision = '', , , , at = ''] = fields;
      if (Number(at) >= before) break;
      const base = this.#keys.base(sessionId);
      const { answers, state } = await this.#engine.ask(
        sessionId,
        [
          ['feed', Number(revision) - 1, 1],
          ['GET', `${base}fo`],
        ],
        until,
      );
      const [[text], gone] = answers as [string[], string | null];
      const index = Number(revision) - 1 - Number(gone ?? 0);
      const steps = new FlushSteps();
      const element = JSON.parse(text ?? '{}') as FeedElement;
      if (state !== undefined && index >= 0 && element.j !== undefined) {
        const left = element.t === undefined ? {} : { t: element.t };
        steps.check('version', '', '', `${state.version} `);
        steps.step('LSET', `${base}f`, index, JSON.stringify(left));
      }
      steps.step('XDEL', log, id);
      steps.step('SET', droppedKey, id);
      const { outcome } = await this.#engine.send(sessionId, steps, until);
      if (outcome !== 'done') break;
      dropped += 1;
    }
    return dropped;
  }

  async #collectOperations(limit: number, until: number): Promise<number> {
    if (limit <= 0) return 0;
    const due = await this.#dueRecords(['operation'], this.#engine.now(), limit, until);
    let dropped = 0;
    for (const item of due) {
      if (item.due !== 'record') continue;
      const { record, sessionId } = item;
      const base = this.#keys.base(sessionId);
      const { outcome } = await this.#touch(sessionId, until, (steps) => {
        steps.step('unrecord', base, record.kind, record.key, this.#keys.dueRecords, sessionId);
      });
      if (outcome === 'done') dropped += 1;
    }
    return dropped;
  }

  /** Writes beside a session's state, as a change of it that nobody sees. */
  async #touch(sessionId: string, until: number, write: (steps: FlushSteps) => void) {
    const { state } = await this.#engine.ask(sessionId, [], until);
    if (state === undefined) return { outcome: 'moved' as const };
    const steps = new FlushSteps();
    steps.check('version', '', '', `${state.version} `);
    write(steps);
    const key = `${this.#keys.base(sessionId)}s`;
    steps.step('SET', key, writeState(state.version + 1, state.row));
    return this.#engine.send(sessionId, steps, until);
  }

  async #collectTombstones(before: number, limit: number, until: number): Promise<number> {
    if (limit <= 0) return 0;
    const { tombstones } = this.#keys;
    const range = ['-inf', `(${before}`];
    const ids = (await this.#run(['ZRANGEBYSCORE', tombstones, ...range], until)) as string[];
    let dropped = 0;
    for (const sessionId of ids) {
      if (dropped >= limit) break;
      const base = this.#keys.base(sessionId);
      const { answers, state } = await this.#engine.ask(
        sessionId,
        [
          ['HLEN', `${base}tl`],
          ['SMEMBERS', `${base}kinds`],
        ],
        until,
      );
      const [timelines, kinds] = answers as [number, string[]];
      const isLeft = timelines > 0 || !(await this.#areEmpty(base, kinds, until));
      if (state === undefined || isLeft || state.row.dueAt !== null) continue;
      const steps = new FlushSteps();
      steps.check('version', '', '', `${state.version} `);
      const own = ['s', 'o', 'bm', 'b', 'i', 'c', 'm', 'f', 'fo', 'kinds', 'tl'];
      steps.step('DEL', ...own.map((name) => `${base}${name}`));
      steps.step('ZREM', tombstones, sessionId);
      const { outcome } = await this.#engine.send(sessionId, steps, until);
      if (outcome === 'done') dropped += 1;
    }
    return dropped;
  }

  async #areEmpty(base: string, kinds: readonly string[], until: number): Promise<boolean> {
    for (const kind of kinds) {
      if (((await this.#run(['HLEN', `${base}r:${kind}`], until)) as number) > 0) return false;
    }
    return true;
  }
}
