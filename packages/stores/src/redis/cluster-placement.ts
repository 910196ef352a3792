import { randomBytes } from 'node:crypto';
import type { RunRedis } from './client.ts';
import { toSessionError } from './faults.ts';
import type { Keys } from './keys.ts';
import { Outbox, type OutboxEntry } from './outbox.ts';
import {
  claimOwner,
  moved,
  type Placement,
  type Sent,
  type StateAndMetadata,
  sentOf,
} from './placement.ts';
import { flushScript, rowsScript } from './scripts.ts';
import { FlushSteps, type OwnerClaim, reservation } from './steps.ts';

/** How long a process takes it as known that a session is watched; less than entries are kept. */
const watchMs = 30_000;
/** At least so long an entry is kept after it was made. */
const keepMs = 60_000;
/** How long a reservation counts of which nobody says what became of it. */
const reservedMs = 300_000;
/** An outbox as long as this is trimmed by whoever writes to it. */
const longOutbox = 512;
/** Sessions of which something is remembered. */
const remembered = 10_000;
/** How soon a register that did not answer is asked again. */
const lateMs = 500;

interface Seen {
  /** When the session was last known to be watched: on `performance.now()`, and on the server's clock. */
  watched: readonly [timer: number, clock: number];
  /** Up to which place of its outbox registers have taken in what it owes. */
  published: string;
}

/**
 * Sessions and registers in the slots of a cluster. A flush writes the session's own part with a line in its outbox,
 * atomically; then registers take in what the line says, before the caller is answered if they can be reached. If the
 * process ends in between, a sweep finds the session among those that are watched and does the rest.
 */
export class ClusterPlacement implements Placement {
  readonly #run: RunRedis;
  readonly #read: RunRedis;
  readonly #keys: Keys;
  readonly #now: () => number;
  readonly #callTimeoutMs: number;
  readonly #outbox: Outbox;
  readonly #seen = new Map<string, Seen>();
  /** Sessions whose registers could not be reached. */
  readonly #late = new Set<string>();
  readonly #working = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    run: RunRedis,
    read: RunRedis,
    keys: Keys,
    { callTimeoutMs, now }: { readonly callTimeoutMs: number; readonly now: () => number },
  ) {
    this.#run = run;
    this.#read = read;
    this.#keys = keys;
    this.#now = now;
    this.#callTimeoutMs = callTimeoutMs;
    this.#outbox = new Outbox(read, keys, now, Math.max(keepMs, 6 * callTimeoutMs));
  }

  async send(sessionId: string, steps: FlushSteps, until: number): Promise<Sent> {
    const { owner } = steps;
    const keys = [`${this.#keys.base(sessionId)}s`];
    if (steps.asides.size === 0 && owner === null) {
      return sentOf(await this.#run({ script: flushScript, keys, words: steps.words }, until));
    }
    const name = randomBytes(9).toString('base64url');
    await this.#certainly(this.#watch(sessionId, until));
    if (owner !== null && !(await this.#certainly(this.#reserve(owner, name, until)))) return moved;
    if (owner !== null) {
      const { register, reserved } = this.#reservedBy(owner);
      steps.aside(register, 'ZREM', reserved, reservation(name, owner));
    }
    const entry: OutboxEntry = [name, this.#now(), [...steps.asides]];
    const published = this.#seen.get(sessionId)?.published ?? '';
    steps.step('outbox', this.#keys.base(sessionId), JSON.stringify(entry), published);
    let answer: unknown;
    try {
      answer = await this.#run({ script: flushScript, keys, words: steps.words }, until);
    } catch (error) {
      this.#seen.delete(sessionId);
      throw error;
    }
    const sent = sentOf(answer);
    if (sent.outcome !== 'done') {
      this.#seen.delete(sessionId);
      if (owner !== null) await this.#release(owner, name, until);
      return sent;
    }
    const [, , , told] = answer as [string, string, string, [string, string, string[]]];
    await this.#publish(sessionId, entry, told, until);
    return sent;
  }

  /** Errors of what comes before a flush: nothing is written then. */
  async #certainly<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw toSessionError(error);
    }
  }

  async #watch(sessionId: string, until: number): Promise<void> {
    const watched = [performance.now(), this.#now()] as const;
    const seen = this.#seen.get(sessionId);
    // While a machine sleeps its timers stand still, and others may let go of the session; clocks may be set.
    const isWatched = seen?.watched.every((at, i) => Math.abs((watched[i] ?? 0) - at) < watchMs);
    if (isWatched) return;
    await this.#outbox.watch(sessionId, until);
    // What it owed long ago is dropped while it is in use.
    if (seen !== undefined) this.#trimInBackground(sessionId);
    this.#remember(sessionId, { watched, published: seen?.published ?? '' });
  }

  #remember(sessionId: string, seen: Seen): void {
    this.#seen.delete(sessionId);
    if (this.#seen.size >= remembered) {
      this.#seen.delete(this.#seen.keys().next().value as string);
    }
    this.#seen.set(sessionId, seen);
  }

  #reservedBy({ owner }: OwnerClaim): { readonly register: string; readonly reserved: string } {
    return {
      register: this.#keys.userRegister(owner.userId),
      reserved: this.#keys.owner(owner, 'reserved'),
    };
  }

  /** What a flush will add for its owner counts before it is written. Whether the owner's version was the one read. */
  async #reserve(claim: OwnerClaim, name: string, until: number): Promise<boolean> {
    const steps = new FlushSteps();
    claimOwner(steps, this.#keys, claim);
    const { reserved } = this.#reservedBy(claim);
    const now = this.#now();
    steps.step('ZREMRANGEBYSCORE', reserved, '-inf', now);
    steps.step('ZADD', reserved, now + reservedMs, reservation(name, claim));
    const keys = [this.#keys.owner(claim.owner, 'version')];
    const call = { script: flushScript, keys, words: steps.words };
    return sentOf(await this.#run(call, until)).outcome === 'done';
  }

  async #release(claim: OwnerClaim, name: string, until: number): Promise<void> {
    const { reserved } = this.#reservedBy(claim);
    // One that stays because of a lost connection runs out by itself.
    await this.#read(['ZREM', reserved, reservation(name, claim)], until).catch(() => {});
  }

  /** Takes to the registers what a flush owes, and before it what others may not have taken there yet. */
  async #publish(
    sessionId: string,
    entry: OutboxEntry,
    [mine, length, others]: readonly [mine: string, length: string, others: readonly string[]],
    until: number,
  ): Promise<void> {
    const entries = others.map((text) => JSON.parse(text) as OutboxEntry);
    try {
      await this.#outbox.publish(sessionId, [...entries, entry], until);
    } catch {
      // It is written, and stays in the outbox.
      this.#late.add(sessionId);
      this.#catchUp();
      return;
    }
    const seen = this.#seen.get(sessionId);
    if (seen !== undefined) seen.published = mine;
    if (Number(length) >= longOutbox && Number(length) % longOutbox === 0) {
      this.#trimInBackground(sessionId);
    }
  }

  #trimInBackground(sessionId: string): void {
    if (this.#closed) return;
    const until = performance.now() + this.#callTimeoutMs;
    // What fails is done by the sweep.
    const work = this.#outbox.trim(sessionId, until).then(
      () => {},
      () => {},
    );
    this.#working.add(work);
    void work.finally(() => this.#working.delete(work));
  }

  /** Goes on trying for sessions whose registers could not be reached. */
  #catchUp(): void {
    if (this.#timer !== undefined || this.#closed || this.#late.size === 0) return;
    this.#timer = setTimeout(async () => {
      for (const sessionId of this.#late) {
        try {
          await this.#outbox.settle(sessionId, performance.now() + this.#callTimeoutMs);
          this.#late.delete(sessionId);
        } catch {
          break;
        }
      }
      this.#timer = undefined;
      this.#catchUp();
    }, lateMs);
    this.#timer.unref();
  }

  async readStates(ids: readonly string[], until: number): Promise<readonly (string | null)[]> {
    return Promise.all(
      ids.map(async (id) => {
        return (await this.#read(['GET', `${this.#keys.base(id)}s`], until)) as string | null;
      }),
    );
  }

  async readRows(ids: readonly string[], until: number): Promise<readonly StateAndMetadata[]> {
    return Promise.all(
      ids.map(async (id) => {
        const call = { script: rowsScript, keys: [this.#keys.base(id)], words: ['1'] };
        const [state = null, metadata = null] = (await this.#read(call, until)) as (
          | string
          | null
        )[];
        return [state, metadata] as const;
      }),
    );
  }

  settle(until: number): Promise<void> {
    return this.#outbox.settleIdle(until);
  }

  settleLast(sessionId: string, until: number): Promise<boolean> {
    return this.#outbox.settle(sessionId, until, Number.NEGATIVE_INFINITY);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#working);
  }
}
