import type {
  FlushOutcome,
  Found,
  LoadedSession,
  MarkRow,
  Need,
  OptimisticEngine,
  SessionWrites,
  TimelineRow,
} from '@lexigram/ai-session/store';
import { variablesInterval } from '@lexigram/ai-session/store';
import type { ServerClock } from '../server-clock.ts';
import { type RunRedis, repeating } from './client.ts';
import { isLost, toSessionError } from './faults.ts';
import { flushSteps, type TimelineEnd } from './flush.ts';
import type { Keys } from './keys.ts';
import {
  foldMembers,
  numberOf,
  readOffset,
  readRecord,
  readScores,
  readState,
  readTimeline,
  readTurn,
  readVariables,
  type State,
  type StoredTurn,
  upTo,
} from './rows.ts';
import { flushScript, loadScript } from './scripts.ts';
import type { FlushSteps } from './steps.ts';

/** What a place of a turn is answered with: timeline, index, offset, row. */
export type Placed = readonly [n: string, index: number | string, offset: string, row: string];

export type MarkAnswer = readonly [
  place: Placed,
  versions: readonly string[],
  timeline: string | null,
];

/** Reads and writes of sessions, each one script in the server. */
export class RedisEngine implements OptimisticEngine {
  readonly #run: RunRedis;
  readonly #read: RunRedis;
  readonly #keys: Keys;
  readonly #clock: ServerClock;
  readonly #onCommit: () => void;

  constructor(run: RunRedis, keys: Keys, clock: ServerClock, onCommit: () => void) {
    this.#run = run;
    this.#read = repeating(run);
    this.#keys = keys;
    this.#clock = clock;
    this.#onCommit = onCommit;
  }

  now(): number {
    return this.#clock.now();
  }

  /** A session's state, and answers to questions as the script takes them. */
  async ask(
    sessionId: string,
    questions: readonly (readonly (string | number)[])[],
    until: number,
  ): Promise<{ readonly state: State | undefined; readonly answers: readonly unknown[] }> {
    const words = questions.flatMap((words) => [String(words.length), ...words.map(String)]);
    const asked = Date.now();
    const [state, time, ...answers] = (await this.#read(
      { script: loadScript, keys: [this.#keys.base(sessionId)], words },
      until,
    )) as [string | null, [string, string], ...unknown[]];
    this.#observe(asked, time[0], time[1]);
    return { state: state === null ? undefined : readState(state, sessionId), answers };
  }

  #observe(asked: number, seconds: string, micros: string): void {
    this.#clock.observe(asked, Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000));
  }

  async load(sessionId: string, needs: readonly Need[], until: number): Promise<LoadedSession> {
    try {
      return await this.#load(sessionId, needs, until);
    } catch (error) {
      throw toSessionError(error);
    }
  }

  async #load(sessionId: string, needs: readonly Need[], until: number): Promise<LoadedSession> {
    const questions = needs.flatMap((need) => this.#questions(sessionId, need));
    const { answers, state } = await this.ask(sessionId, questions, until);
    let at = 0;
    const found: unknown[] = [];
    for (const need of needs) {
      const count = this.#questions(sessionId, need).length;
      found.push(await this.#find(sessionId, need, answers.slice(at, at + count), until));
      at += count;
    }
    return { row: state?.row, version: state?.version ?? 0, found };
  }

  #questions(sessionId: string, need: Need): readonly (readonly (string | number)[])[] {
    const keys = this.#keys;
    const base = keys.base(sessionId);
    switch (need.need) {
      case 'open': {
        const open = keys.owner(need.owner, 'open');
        const now = this.now();
        return [
          ['GET', keys.owner(need.owner, 'version')],
          ['ZCOUNT', open, `(${now}`, '+inf'],
          ['ZRANGEBYSCORE', open, '-inf', now, 'LIMIT', 0, need.limit],
        ];
      }
      case 'spent':
        return [
          ['GET', keys.owner(need.owner, 'version')],
          ['GET', keys.owner(need.owner, 'spent')],
        ];
      case 'timeline':
        return [['HGET', `${this.#base(need.timelineId)}tl`, numberOf(need.timelineId)]];
      case 'turn':
        return [['turn', need.turnId]];
      case 'lastTurn':
        return [['lastTurn', numberOf(need.timelineId)]];
      case 'variables': {
        const { timelineId } = need.at;
        const key = `${this.#base(timelineId)}v:${numberOf(timelineId)}`;
        const range = [`[${upTo(need.at)}`, '-', 'LIMIT', 0, variablesInterval + 1];
        return [['ZREVRANGEBYLEX', key, ...range]];
      }
      case 'record':
        return [['record', need.kind, need.key]];
      case 'labelled':
        return [['labelled', need.kind, need.label]];
      case 'mark':
        return [['mark', need.n]];
      case 'marks': {
        const range = [`(${need.above}`, '+inf', 'WITHSCORES', 'LIMIT', 0, need.limit];
        return [['ZRANGEBYSCORE', `${base}m`, ...range]];
      }
      case 'oldest':
        return [['ZRANGE', `${base}u:checkpoint`, 0, need.limit - 1]];
      case 'count':
        return [['HLEN', `${base}r:${need.kind}`]];
    }
  }

  #base(timelineId: string): string {
    return this.#keys.base(timelineId.slice(0, timelineId.lastIndexOf('.')));
  }

  async #find(
    sessionId: string,
    need: Need,
    answers: readonly unknown[],
    until: number,
  ): Promise<Found[keyof Found]> {
    const [answer] = answers;
    switch (need.need) {
      case 'open': {
        const [version, sure, unsure] = answers as [string | null, number, string[]];
        const open = sure + (await this.#countOpen(unsure, until));
        return { open: Math.min(open, need.limit), version: Number(version ?? 0) };
      }
      case 'spent': {
        const [version, spent] = answers as [string | null, string | null];
        return { spent: Number(spent ?? 0), version: Number(version ?? 0) };
      }
      case 'timeline': {
        const id = need.timelineId;
        const owner = id.slice(0, id.lastIndexOf('.'));
        return answer === null ? undefined : readTimeline(answer as string, owner, numberOf(id));
      }
      case 'turn':
      case 'lastTurn':
        return answer === null ? undefined : toTurn(answer as Placed, sessionId).turn;
      case 'variables':
        return foldMembers(need.at.timelineId, answer as string[]);
      case 'record':
        return answer === null ? undefined : readRecord(need.kind, need.key, answer as string);
      case 'labelled': {
        if (answer === null) return undefined;
        const [key, text] = answer as [string, string];
        return readRecord(need.kind, key, text);
      }
      case 'mark':
        return answer === null ? undefined : toMark(answer as MarkAnswer, sessionId);
      case 'marks':
        return readScores(answer).map(([, n]) => n);
      case 'oldest':
        return answer as string[];
      case 'count':
        return answer as number;
    }
  }

  async #countOpen(unsure: readonly string[], until: number): Promise<number> {
    const states = await this.states(unsure, until);
    const now = this.now();
    return states.filter((state) => {
      if (state === undefined) return false;
      const { expiresAt } = state.row;
      return expiresAt === null || expiresAt > now;
    }).length;
  }

  /** The states of many sessions. */
  async states(ids: readonly string[], until: number): Promise<readonly (State | undefined)[]> {
    const states: (State | undefined)[] = [];
    for (let at = 0; at < ids.length; at += readAtOnce) {
      const some = ids.slice(at, at + readAtOnce);
      const keys = some.map((id) => `${this.#keys.base(id)}s`);
      const texts = (await this.#read(['MGET', ...keys], until)) as (string | null)[];
      for (const [i, text] of texts.entries()) {
        states.push(text === null ? undefined : readState(text, some[i] as string));
      }
    }
    return states;
  }

  async flush(writes: SessionWrites, until: number): Promise<FlushOutcome> {
    let ends: ReadonlyMap<number, TimelineEnd>;
    try {
      ends = await this.#ends(writes, until);
    } catch (error) {
      throw toSessionError(error);
    }
    return this.send(writes.sessionId, flushSteps(this.#keys, writes, ends), until);
  }

  /** Checks and steps on one session, all or nothing. */
  async send(sessionId: string, steps: FlushSteps, until: number): Promise<FlushOutcome> {
    const asked = Date.now();
    try {
      const keys = [`${this.#keys.base(sessionId)}s`];
      const [outcome, seconds, micros] = (await this.#run(
        { script: flushScript, keys, words: steps.words },
        until,
      )) as ['done' | 'moved' | 'taken', string, string];
      if (outcome !== 'done') return { outcome };
      this.#observe(asked, seconds, micros);
      this.#onCommit();
      return { outcome: 'done', key: 1 };
    } catch (error) {
      const fault = toSessionError(error);
      if (isLost(error)) return { outcome: 'unknown', error: fault };
      throw fault;
    }
  }

  /** The offsets of the timelines that a flush adds to; most are told by what the flush itself knows. */
  async #ends(
    { before, moved, row, sessionId, timelines, turns }: SessionWrites,
    until: number,
  ): Promise<ReadonlyMap<number, TimelineEnd>> {
    const ends = new Map<number, TimelineEnd>();
    for (const { base, timelineId } of timelines) {
      ends.set(numberOf(timelineId), { first: (base?.seq ?? 0) + 1, tokens: 0, cost: 0 });
    }
    const asked = new Set<number>();
    for (const { timelineId } of turns) asked.add(numberOf(timelineId));
    for (const { timeline } of moved) asked.add(numberOf(timeline.timelineId));
    const current = `${sessionId}.${(before ?? row).timeline}@${row.createdAt}`;
    const known = this.#offsets.get(current);
    if (known !== undefined && before !== undefined) ends.set(before.timeline, known);
    const missing = [...asked].filter((n) => !ends.has(n));
    if (missing.length === 0) return ends;
    const key = `${this.#keys.base(sessionId)}o`;
    const found = (await this.#read(['HMGET', key, ...missing], until)) as (string | null)[];
    for (const [i, n] of missing.entries()) ends.set(n, readOffset(found[i] ?? ''));
    const end = ends.get((before ?? row).timeline);
    if (end !== undefined) this.#remember(current, end);
    return ends;
  }

  /** Of timelines that were current: they stay where they are, for only those out of sight are moved. */
  readonly #offsets = new Map<string, TimelineEnd>();

  #remember(timeline: string, end: TimelineEnd): void {
    if (this.#offsets.size >= rememberedOffsets) {
      this.#offsets.delete(this.#offsets.keys().next().value as string);
    }
    this.#offsets.set(timeline, end);
  }
}

const rememberedOffsets = 10_000;

/** States in one command: a server does one thing at a time. */
const readAtOnce = 500;

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
