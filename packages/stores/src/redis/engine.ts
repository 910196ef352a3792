import type {
  FlushOutcome,
  Found,
  LoadedSession,
  Need,
  OptimisticEngine,
  SessionWrites,
} from '@lexigram/ai-session/store';
import type { ServerClock } from '../server-clock.ts';
import type { RunRedis } from './client.ts';
import { isLost, toSessionError } from './faults.ts';
import { flushSteps, type TimelineEnd } from './flush.ts';
import type { Keys } from './keys.ts';
import { type MarkAnswer, type Placed, toMark, toTurn } from './placed.ts';
import type { Placement, Sent } from './placement.ts';
import { type Question, questionsOf } from './questions.ts';
import {
  foldMembers,
  newVersion,
  numberOf,
  readOffset,
  readRecord,
  readScores,
  readState,
  readTimeline,
  type State,
} from './rows.ts';
import { flushScript, loadScript } from './scripts.ts';
import { FlushSteps, readReserved } from './steps.ts';

/** Reads and writes of sessions, each one script in the server. */
export class RedisEngine implements OptimisticEngine {
  readonly #read: RunRedis;
  readonly #keys: Keys;
  readonly #clock: ServerClock;
  readonly #placement: Placement;
  readonly #onCommit: () => void;

  /** @param read repeats what can be repeated */
  constructor(
    read: RunRedis,
    keys: Keys,
    clock: ServerClock,
    placement: Placement,
    onCommit: () => void,
  ) {
    this.#read = read;
    this.#keys = keys;
    this.#clock = clock;
    this.#placement = placement;
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
    const [state, offset, answers] = await this.#ask(this.#keys.base(sessionId), questions, until);
    if (state === null) return { state: undefined, answers };
    const read = readState(state, sessionId);
    this.#remember(sessionId, read.version, read.row.timeline, readOffset(offset));
    return { state: read, answers };
  }

  async #ask(
    home: string,
    questions: readonly (readonly (string | number)[])[],
    until: number,
  ): Promise<readonly [state: string | null, offset: string, answers: readonly unknown[]]> {
    const words = questions.flatMap((words) => [String(words.length), ...words.map(String)]);
    const asked = Date.now();
    const call = { script: loadScript, keys: [home], words };
    const [state, time, offset, ...answers] = (await this.#read(call, until)) as [
      string | null,
      [string, string],
      string,
      ...unknown[],
    ];
    this.#observe(asked, time[0], time[1]);
    return [state, offset, answers];
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
    const asked = needs.map((need) => questionsOf(this.#keys, this.now(), sessionId, need));
    const all = asked.flat();
    const own = this.#keys.base(sessionId);
    const elsewhere = Map.groupBy(
      all.filter(({ home }) => home !== own),
      ({ home }) => home,
    );
    const answers = new Map<Question, unknown>();
    const [{ state }] = await Promise.all([
      this.#answer(
        all.filter(({ home }) => home === own),
        answers,
        (words) => this.ask(sessionId, words, until),
      ),
      ...[...elsewhere].map(([home, questions]) =>
        this.#answer(questions, answers, async (words) => {
          return { answers: (await this.#ask(home, words, until))[2] };
        }),
      ),
    ]);
    const found: unknown[] = [];
    for (const [i, need] of needs.entries()) {
      const own = (asked[i] ?? []).map((question) => answers.get(question));
      found.push(await this.#find(sessionId, need, own, until));
    }
    return { row: state?.row, version: state?.version ?? 0, found };
  }

  async #answer<R extends { readonly answers: readonly unknown[] }>(
    questions: readonly Question[],
    into: Map<Question, unknown>,
    ask: (words: readonly Question['words'][]) => Promise<R>,
  ): Promise<R> {
    const replied = await ask(questions.map(({ words }) => words));
    for (const [i, question] of questions.entries()) into.set(question, replied.answers[i]);
    return replied;
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
        const [version, reserved, sure, unsure] = answers as [
          string | null,
          string[],
          number,
          string[],
        ];
        const counted = sure + (await this.#countOpen(unsure, until));
        const open = counted + readReserved(reserved).open;
        return { open: Math.min(open, need.limit), version: Number(version ?? 0) };
      }
      case 'spent': {
        const [version, reserved, sum] = answers as [string | null, string[], string | null];
        const spent = Number(sum ?? 0) + readReserved(reserved).spent;
        return { spent, version: Number(version ?? 0) };
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
      const texts = await this.#placement.readStates(some, until);
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
    const version = newVersion();
    const steps = flushSteps(this.#keys, writes, ends, version);
    const outcome = await this.send(writes.sessionId, steps, until);
    if (outcome !== 'done') return typeof outcome === 'string' ? { outcome } : outcome;
    const isMoved = writes.moved.some(
      ({ timeline }) => numberOf(timeline.timelineId) === writes.row.timeline,
    );
    const end = isMoved ? undefined : ends.get(writes.row.timeline);
    if (end !== undefined) this.#remember(writes.sessionId, version, writes.row.timeline, end);
    return { outcome: 'done', key: 1, version };
  }

  /** Checks and steps on one session, all or nothing. */
  async send(
    sessionId: string,
    steps: FlushSteps,
    until: number,
  ): Promise<Sent['outcome'] | Extract<FlushOutcome, { readonly outcome: 'unknown' }>> {
    const asked = Date.now();
    try {
      const { outcome, time } = await this.#placement.send(sessionId, steps, until);
      if (outcome !== 'done') return outcome;
      if (time !== null) this.#observe(asked, ...time);
      this.#onCommit();
      return 'done';
    } catch (error) {
      const fault = toSessionError(error);
      if (isLost(error)) return { outcome: 'unknown', error: fault };
      throw fault;
    }
  }

  /** Steps in the register of all sessions that may be repeated. */
  async note(steps: readonly (readonly (string | number)[])[], until: number): Promise<void> {
    if (steps.length === 0) return;
    const noted = new FlushSteps();
    for (const words of steps) noted.step(...words);
    const call = { script: flushScript, keys: [this.#keys.folds], words: noted.words };
    await this.#read(call, until);
  }

  /** The offsets of the timelines that a flush adds to; most are told by what the flush itself knows. */
  async #ends(
    { before, moved, sessionId, timelines, turns, version }: SessionWrites,
    until: number,
  ): Promise<ReadonlyMap<number, TimelineEnd>> {
    const ends = new Map<number, TimelineEnd>();
    for (const { base, timelineId } of timelines) {
      ends.set(numberOf(timelineId), { first: (base?.seq ?? 0) + 1, tokens: 0, cost: 0 });
    }
    const known = this.#offsets.get(sessionId);
    if (known !== undefined && before !== undefined && known.version === version) {
      ends.set(known.timeline, known.end);
    }
    const asked = new Set<number>();
    for (const { timelineId } of turns) asked.add(numberOf(timelineId));
    for (const { timeline } of moved) asked.add(numberOf(timeline.timelineId));
    const missing = [...asked].filter((n) => !ends.has(n));
    if (missing.length === 0) return ends;
    const key = `${this.#keys.base(sessionId)}o`;
    const found = (await this.#read(['HMGET', key, ...missing], until)) as (string | null)[];
    for (const [i, n] of missing.entries()) ends.set(n, readOffset(found[i] ?? ''));
    return ends;
  }

  /** Where the current timelines of sessions begin, as of a version. */
  readonly #offsets = new Map<string, KnownOffset>();

  #remember(sessionId: string, version: number, timeline: number, end: TimelineEnd): void {
    this.#offsets.delete(sessionId);
    if (this.#offsets.size >= rememberedOffsets) {
      this.#offsets.delete(this.#offsets.keys().next().value as string);
    }
    this.#offsets.set(sessionId, { version, timeline, end });
  }
}

interface KnownOffset {
  readonly version: number;
  readonly timeline: number;
  readonly end: TimelineEnd;
}

const rememberedOffsets = 10_000;

/** States in one command: a server does one thing at a time. */
const readAtOnce = 500;
