import type { RunRedis } from './client.ts';
import type { Keys } from './keys.ts';
import { flushScript, rowsScript } from './scripts.ts';
import type { FlushSteps, OwnerClaim } from './steps.ts';

/** What became of a flush, and the server's time; what throws instead may have been written. */
export interface Sent {
  readonly outcome: 'done' | 'moved' | 'taken';
  readonly time: readonly [seconds: string, micros: string] | null;
}

export const moved: Sent = { outcome: 'moved', time: null };

export type StateAndMetadata = readonly [state: string | null, metadata: string | null];

/** How sessions and registers lie on servers, as far as writes have to know. */
export interface Placement {
  /** Writes all of a flush or nothing: what is the session's own, and sooner or later what lies beside it. */
  send(sessionId: string, steps: FlushSteps, until: number): Promise<Sent>;
  /** The states of many sessions. */
  readStates(ids: readonly string[], until: number): Promise<readonly (string | null)[]>;
  /** The same with their metadata. */
  readRows(ids: readonly string[], until: number): Promise<readonly StateAndMetadata[]>;
  /** Sees to it that registers know what sessions owe them, for sessions that nobody writes to at the moment. */
  settle(until: number): Promise<void>;
  /** The same for a session that nobody writes to any more. Whether nothing is left to do for it. */
  settleLast(sessionId: string, until: number): Promise<boolean>;
  close(): Promise<void>;
}

/** One server has it all: a flush is one script, and what lies beside is written with it. */
export class OneServer implements Placement {
  readonly #run: RunRedis;
  readonly #read: RunRedis;
  readonly #keys: Keys;

  constructor(run: RunRedis, read: RunRedis, keys: Keys) {
    this.#run = run;
    this.#read = read;
    this.#keys = keys;
  }

  async send(sessionId: string, steps: FlushSteps, until: number): Promise<Sent> {
    if (steps.owner !== null) claimOwner(steps, this.#keys, steps.owner);
    const words = steps.words;
    for (const beside of steps.asides.values()) for (const word of beside) words.push(word);
    const keys = [`${this.#keys.base(sessionId)}s`];
    return sentOf(await this.#run({ script: flushScript, keys, words }, until));
  }

  async readStates(ids: readonly string[], until: number): Promise<readonly (string | null)[]> {
    const keys = ids.map((id) => `${this.#keys.base(id)}s`);
    return (await this.#read(['MGET', ...keys], until)) as (string | null)[];
  }

  async readRows(ids: readonly string[], until: number): Promise<readonly StateAndMetadata[]> {
    const keys = ids.map((id) => this.#keys.base(id));
    const call = { script: rowsScript, keys, words: [String(keys.length)] };
    const found = (await this.#read(call, until)) as (string | null)[];
    return ids.map((_, i) => [found[i * 2] ?? null, found[i * 2 + 1] ?? null]);
  }

  async settle(): Promise<void> {}

  async settleLast(): Promise<boolean> {
    return true;
  }

  async close(): Promise<void> {}
}

/** The owner's version must be what was read, and goes up. */
export function claimOwner(steps: FlushSteps, keys: Keys, { owner, version }: OwnerClaim): void {
  const key = keys.owner(owner, 'version');
  steps.check('equal', key, '', version === 0 ? '' : String(version));
  steps.step('SET', key, version + 1);
}

/** The answer of the flush's script. */
export function sentOf(answer: unknown): Sent {
  const [outcome, seconds, micros] = answer as [Sent['outcome'], string, string];
  return { outcome, time: outcome === 'done' ? [seconds, micros] : null };
}
