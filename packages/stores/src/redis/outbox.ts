import { randomInt } from 'node:crypto';
import { halfway, type RunRedis } from './client.ts';
import type { Keys } from './keys.ts';
import { readScores } from './rows.ts';
import { flushScript, loadScript, takeScript } from './scripts.ts';
import { FlushSteps, type StepWords } from './steps.ts';

/** What a flush owes to registers: its name, when it was made, and the steps by register. */
export type OutboxEntry = readonly [
  name: string,
  at: number,
  asides: readonly (readonly [register: string, steps: StepWords])[],
];

/** Entries that are read, and sent, at a time. */
const atOnce = 200;
/** Sessions that are settled at a time. */
const together = 20;

/** What goes to one register in this turn of the event loop. */
interface Batch {
  readonly words: string[];
  readonly done: Promise<unknown>;
}

/**
 * The outboxes of sessions. A flush leaves in the session's own slot what it owes to registers in others; whoever
 * wrote it takes it there, and so does a sweep, in the order of the session, each entry once.
 */
export class Outbox {
  readonly #run: RunRedis;
  readonly #keys: Keys;
  readonly #now: () => number;
  readonly #keepMs: number;
  readonly #batches = new Map<string, Batch>();

  /**
   * @param run repeats what can be repeated
   * @param keepMs how long an entry is kept after it was taken in, so that nobody who read it takes it in again
   */
  constructor(run: RunRedis, keys: Keys, now: () => number, keepMs: number) {
    this.#run = run;
    this.#keys = keys;
    this.#now = now;
    this.#keepMs = keepMs;
  }

  /** Notes that a session's outbox may hold something soon. */
  async watch(sessionId: string, until: number): Promise<void> {
    const now = this.#now();
    const notes = this.#keys.watched.map((key) => this.#run(['ZADD', key, now, sessionId], until));
    // One is enough, and the other one is on its way.
    await Promise.any(notes).catch(({ errors }: AggregateError) => {
      throw errors[0];
    });
  }

  /** Takes entries to their registers, in order. */
  async publish(sessionId: string, entries: readonly OutboxEntry[], until: number): Promise<void> {
    for (let at = 0; at < entries.length; at += atOnce) {
      const words = new Map<string, string[]>();
      for (const [name, time, asides] of entries.slice(at, at + atOnce)) {
        for (const [register, steps] of asides) {
          const taken = this.#keys.taken(register, sessionId);
          const own = words.get(register) ?? [];
          words.set(register, own);
          own.push(taken, name, String(time), String(steps.length));
          for (const word of steps) own.push(word);
        }
      }
      await Promise.all([...words].map(([register, own]) => this.#send(register, own, until)));
    }
  }

  /** What sessions send to a register in one turn of the event loop goes together. */
  #send(register: string, words: readonly string[], until: number): Promise<unknown> {
    let batch = this.#batches.get(register);
    if (batch === undefined) {
      const own: string[] = [];
      const done = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
        this.#batches.delete(register);
        return this.#run({ script: takeScript, keys: [`${register}taken`], words: own }, until);
      });
      batch = { words: own, done };
      this.#batches.set(register, batch);
    }
    for (const word of words) batch.words.push(word);
    return batch.done;
  }

  /** Takes in all that a session owes, and drops what is older than `keepMs`. Whether its outbox is empty then. */
  async settle(sessionId: string, until: number, keepMs: number = this.#keepMs): Promise<boolean> {
    for (let kept = await this.trim(sessionId, until, keepMs); ; ) {
      const { entries } = await this.#read(sessionId, kept, until);
      if (entries.length === 0) return kept === 0;
      await this.publish(sessionId, entries, until);
      kept += entries.length;
    }
  }

  /**
   * Drops what is older than `keepMs`, and takes it in before, for a register may have lost it. How many of those that
   * stay were taken in, too.
   */
  async trim(sessionId: string, until: number, keepMs: number = this.#keepMs): Promise<number> {
    const base = this.#keys.base(sessionId);
    for (;;) {
      const { entries, trimmed } = await this.#read(sessionId, 0, until);
      await this.publish(sessionId, entries, until);
      const before = this.#now() - keepMs;
      const young = entries.findIndex(([, at]) => at >= before);
      const old = young < 0 ? entries : entries.slice(0, young);
      if (old.length === 0) return entries.length;
      const steps = new FlushSteps();
      // Whoever else does it drops the same ones.
      steps.check('equal', `${base}xt`, '', trimmed ?? '');
      steps.step('LTRIM', `${base}x`, old.length, -1);
      steps.step('SET', `${base}xt`, Number(trimmed ?? 0) + old.length);
      const call = { script: flushScript, keys: [`${base}s`], words: steps.words };
      const [outcome] = (await this.#run(call, until)) as ['done' | 'moved'];
      if (outcome === 'done') await this.#forget(sessionId, old, until);
    }
  }

  /** Some entries behind the first ones, and how many were dropped so far. */
  async #read(
    sessionId: string,
    from: number,
    until: number,
  ): Promise<{ readonly entries: readonly OutboxEntry[]; readonly trimmed: string | null }> {
    const base = this.#keys.base(sessionId);
    const range = ['4', 'LRANGE', `${base}x`, String(from), String(from + atOnce - 1)];
    const call = { script: loadScript, keys: [base], words: [...range, '2', 'GET', `${base}xt`] };
    const answer = (await this.#run(call, until)) as readonly unknown[];
    const [texts, trimmed] = answer.slice(3) as [string[], string | null];
    return { entries: texts.map((text) => JSON.parse(text) as OutboxEntry), trimmed };
  }

  /** Registers need not know any more what is in no outbox. */
  async #forget(sessionId: string, entries: readonly OutboxEntry[], until: number): Promise<void> {
    const names = new Map<string, string[]>();
    for (const [name, , asides] of entries) {
      for (const [register] of asides) {
        const own = names.get(register) ?? [];
        names.set(register, own);
        own.push(name);
      }
    }
    await Promise.all(
      [...names].map(([register, own]) =>
        this.#run(['ZREM', this.#keys.taken(register, sessionId), ...own], until),
      ),
    );
  }

  /** Settles sessions that nobody has written to for a while, as many as there is time for. */
  async settleIdle(until: number): Promise<void> {
    const enough = halfway(until);
    for (;;) {
      const found = await Promise.all(this.#keys.watched.map((key) => this.#idle(key, until)));
      const ids = [...new Set(found.flatMap((page) => page.map(([id]) => id)))];
      // Sweeps that run at once begin at different ones, so that they share the work.
      const first = randomInt(ids.length + 1);
      ids.push(...ids.splice(0, first));
      let settled = 0;
      for (let at = 0; at < ids.length; at += together) {
        if (performance.now() >= enough) return;
        settled += await this.#settleAll(ids.slice(at, at + together), found, until);
      }
      if (found.every((page) => page.length < atOnce) || settled === 0) return;
    }
  }

  /** Settles sessions, and watches those no longer that owe nothing; how many they are. */
  async #settleAll(
    ids: readonly string[],
    watched: readonly (readonly Watched[])[],
    until: number,
  ): Promise<number> {
    const settled = await Promise.all(ids.map((id) => this.settle(id, until)));
    const done = new Set(ids.filter((_, i) => settled[i]));
    for (const [i, key] of this.#keys.watched.entries()) {
      await this.#unwatch(key, watched[i]?.filter(([id]) => done.has(id)) ?? [], until);
    }
    return done.size;
  }

  /** Sessions that were watched long enough ago, and when. */
  async #idle(key: string, until: number): Promise<readonly Watched[]> {
    const range = ['-inf', this.#now() - this.#keepMs, 'WITHSCORES', 'LIMIT', 0, atOnce];
    return readScores(await this.#run(['ZRANGEBYSCORE', key, ...range], until));
  }

  async #unwatch(key: string, sessions: readonly Watched[], until: number): Promise<void> {
    if (sessions.length === 0) return;
    const steps = new FlushSteps();
    // Who watches it since has made it younger.
    for (const [sessionId, score] of sessions) steps.step('unless', key, score, sessionId);
    await this.#run({ script: flushScript, keys: [`${key}:`], words: steps.words }, until);
  }
}

type Watched = readonly [sessionId: string, score: number];
