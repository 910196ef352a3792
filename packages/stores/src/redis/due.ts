import { type DueItem, type DuePage, statusAt } from '@lexigram/ai-session/store';
import { changeSession, notFound } from './change-session.ts';
import type { RunRedis } from './client.ts';
import type { RedisEngine } from './engine.ts';
import type { Keys } from './keys.ts';
import { readRecord, readScores } from './rows.ts';
import { FlushSteps } from './steps.ts';

type DueRecord = Extract<DueItem, { readonly due: 'record' }>;

/** What the sweep has to look at, by time. */
export class Due {
  readonly #run: RunRedis;
  readonly #engine: RedisEngine;
  readonly #keys: Keys;

  constructor(run: RunRedis, engine: RedisEngine, keys: Keys) {
    this.#run = run;
    this.#engine = engine;
    this.#keys = keys;
  }

  async due({ kind, limit, withinMs = 0 }: DuePage, until: number): Promise<readonly DueItem[]> {
    const now = this.#engine.now();
    if (kind !== undefined) return this.dueRecords([kind], now + withinMs, limit, until);
    const items = await this.#dueSessions(now, limit, until);
    if (items.length >= limit) return items;
    const kinds = (await this.#run(['SMEMBERS', this.#keys.dueRecords], until)) as string[];
    return [...items, ...(await this.dueRecords(kinds, now, limit - items.length, until))];
  }

  async #dueSessions(now: number, limit: number, until: number): Promise<DueItem[]> {
    for (;;) {
      const range = ['-inf', now, 'WITHSCORES', 'LIMIT', 0, limit];
      const found = readScores(await this.#run(['ZRANGEBYSCORE', this.#keys.due, ...range], until));
      const items: DueItem[] = [];
      const ids = found.map(([sessionId]) => sessionId);
      const states = await this.#engine.states(ids, until);
      for (const [i, [sessionId, time]] of found.entries()) {
        const row = states[i]?.row;
        if (row?.status === 'deleted') items.push({ due: 'erase', sessionId });
        else if (row !== undefined && statusAt(row, now) === 'expired') {
          items.push({ due: 'expiry', sessionId });
        } else await this.#lookLater(sessionId, time, now, until);
      }
      // A page of none but touched ones says nothing about what comes behind it.
      if (items.length > 0 || ids.length < limit) return items;
    }
  }

  /** It changed since: its time is not up yet. */
  async #lookLater(sessionId: string, time: number, now: number, until: number): Promise<void> {
    const { state } = await this.#engine.ask(sessionId, [], until);
    const { due, register } = this.#keys;
    if (state === undefined) {
      // It is gone, or a server dropped its state: nothing would ever take it out of here.
      await this.#engine.note([['unless', due, time, sessionId]], until);
      return;
    }
    await changeSession(this.#engine, this.#keys, sessionId, until, async ({ row }) => {
      const steps = new FlushSteps();
      const open = row.status === 'active' || row.status === 'suspended';
      const isTouched = open && (row.expiresAt === null || row.expiresAt > now);
      if (!isTouched || row.dueAt === row.expiresAt) return { result: notFound, row: null, steps };
      const { expiresAt, parentSessionId } = row;
      if (expiresAt === null) steps.aside(register, 'ZREM', due, sessionId);
      else steps.aside(register, 'ZADD', due, expiresAt, sessionId);
      if (parentSessionId === null) {
        const key = this.#keys.owner(row, 'open');
        const users = this.#keys.userRegister(row.userId);
        steps.aside(users, 'ZADD', key, expiresAt ?? '+inf', sessionId);
      }
      return { result: notFound, row: { ...row, dueAt: expiresAt }, steps };
    });
    const { dueAt } = state.row;
    // The register knows another time than the session, or one of a session that is closed.
    if (dueAt !== time && (dueAt === null || dueAt > now)) {
      const steps = [['unless', due, time, sessionId]];
      if (dueAt !== null) steps.push(['ZADD', due, 'NX', dueAt, sessionId]);
      await this.#engine.note(steps, until);
    }
  }

  /** Records of some kinds whose time has come, oldest first. */
  async dueRecords(
    kinds: readonly string[],
    upToTime: number,
    limit: number,
    until: number,
  ): Promise<readonly DueRecord[]> {
    for (;;) {
      const found: DueMember[] = [];
      let isLast = true;
      for (const kind of kinds) {
        const range = ['-inf', upToTime, 'WITHSCORES', 'LIMIT', 0, limit];
        const key = `${this.#keys.dueRecords}${kind}`;
        const members = readScores(await this.#run(['ZRANGEBYSCORE', key, ...range], until));
        for (const [member, at] of members) found.push({ at, kind, member });
        isLast &&= members.length < limit;
      }
      found.sort((a, b) => a.at - b.at);
      const page = found.slice(0, limit);
      const records = await Promise.all(page.map((one) => this.#recordAt(one, until)));
      const items = records.filter((item) => item !== null);
      // A page of none but those whose time has changed says nothing about what comes behind it.
      if (items.length > 0 || isLast) return items;
    }
  }

  /** A record at the time at which it is due; null if it is gone, or its time has changed, and is put right. */
  async #recordAt({ at, kind, member }: DueMember, until: number): Promise<DueRecord | null> {
    const line = member.indexOf('\n');
    const [sessionId, key] = [member.slice(0, line), member.slice(line + 1)];
    const hash = `${this.#keys.base(sessionId)}r:${kind}`;
    const text = (await this.#run(['HGET', hash, key], until)) as string | null;
    const record = text === null ? null : readRecord(kind, key, text);
    const dueAt = record?.dueAt ?? null;
    if (record !== null && dueAt !== null && dueAt <= at) {
      return { due: 'record', sessionId, record };
    }
    const dues = `${this.#keys.dueRecords}${kind}`;
    const steps = [['unless', dues, at, member]];
    if (dueAt !== null) steps.push(['ZADD', dues, 'NX', dueAt, member]);
    await this.#engine.note(steps, until);
    return null;
  }
}

interface DueMember {
  readonly at: number;
  readonly kind: string;
  readonly member: string;
}
