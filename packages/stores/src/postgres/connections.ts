import { createHash } from 'node:crypto';
import { isSessionError, SessionStoreUnavailableError } from '@lexigram/ai-session';
import {
  type PostgresAnswer,
  type PostgresClient,
  type PostgresPool,
  type PostgresQuery,
  type SqlRow,
  types,
} from './client.ts';
import { isBroken, isTransient, stateOf, toSessionError } from './faults.ts';
import { KeptClients } from './kept-clients.ts';

/** A statement with its values, and whether to prepare it. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Runs statements, one after another, on one connection. */
export interface Runner {
  /** @param until on `performance.now()` @throws what the driver threw */
  run(statement: Statement, until: number): Promise<PostgresAnswer>;
}

/** A statement that was sent, and whose answer did not come. */
class LostAnswer extends Error {}

const rollback: Statement = { text: 'ROLLBACK', values: [] };

/**
 * The connections of a pool: each statement has its time, and a connection that broke, or that did not answer in
 * time, is destroyed and never handed on.
 */
export class Connections {
  readonly #pool: PostgresPool;
  readonly #connectMs: number;
  readonly #isNamed: boolean;
  readonly #names = new Map<string, string>();
  /** Why there was no connection of late: who runs out of time before it is tried again is told that. */
  #refusal: Error | undefined;
  readonly #kept = new KeptClients(giveBack);
  /** Statements that wait for a connection. */
  #waiting = 0;
  /** When a connection last answered. */
  readonly #answered = new WeakMap<PostgresClient, number>();
  /** Since a connection fell silent, others that have not answered since then are taken to be dead as well. */
  #silentSince = Number.NEGATIVE_INFINITY;

  constructor(
    pool: PostgresPool,
    options: { readonly connectTimeoutMs: number; readonly behindPooler: boolean },
  ) {
    this.#pool = pool;
    this.#connectMs = options.connectTimeoutMs;
    this.#isNamed = !options.behindPooler;
  }

  /** One statement on any connection. @throws a SessionError, a LostAnswer, or what the server said */
  async run(statement: Statement, until: number): Promise<PostgresAnswer> {
    const client = this.#take() ?? (await this.#connect(until));
    try {
      const answer = await this.#ask(client, statement, until);
      this.#keep(client);
      return answer;
    } catch (error) {
      giveBack(client, isBroken(error));
      throw error;
    }
  }

  /** A read: it is asked again as long as there is time. @throws a SessionError */
  async read(statement: Statement, until: number): Promise<SqlRow[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.run(statement, until)).rows;
      } catch (error) {
        const fault = toSessionError(error);
        const waitMs = Math.min(200, 5 * 2 ** attempt);
        if (!isTransient(error) || performance.now() + waitMs >= until) throw fault;
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
  }

  /** Several statements in one transaction, on one connection. `work` ends it with COMMIT, or it is undone. */
  async transaction<T>(until: number, work: (runner: Runner) => Promise<T>): Promise<T> {
    const client = this.#take() ?? (await this.#connect(until));
    try {
      await this.#ask(client, { text: 'BEGIN ISOLATION LEVEL READ COMMITTED', values: [] }, until);
      let isOpen = true;
      const result = await work({
        run: async (statement, end) => {
          if (statement.text === 'COMMIT') isOpen = false;
          return this.#ask(client, statement, end);
        },
      });
      if (isOpen) await this.#ask(client, rollback, until);
      this.#keep(client);
      return result;
    } catch (error) {
      let isUseless = isBroken(error);
      if (!isUseless) {
        await this.#ask(client, rollback, performance.now() + 1_000).catch(() => {
          isUseless = true;
        });
      }
      giveBack(client, isUseless);
      throw error;
    }
  }

  /** Gives back what is kept for the next statement. */
  settle(): void {
    this.#kept.clear();
  }

  #take(): PostgresClient | undefined {
    const client = this.#kept.take();
    if (client === undefined || !this.#isSuspect(client)) return client;
    giveBack(client, true);
    return undefined;
  }

  #keep(client: PostgresClient): void {
    if (this.#waiting > 0) giveBack(client);
    else this.#kept.keep(client);
  }

  #isSuspect(client: PostgresClient): boolean {
    return (this.#answered.get(client) ?? Number.POSITIVE_INFINITY) < this.#silentSince;
  }

  async #connect(until: number): Promise<PostgresClient> {
    this.#waiting += 1;
    try {
      for (;;) {
        const client = await this.#lent(until);
        if (this.#isSuspect(client)) {
          client.release(true);
          continue;
        }
        client.on?.('error', ignore);
        this.#kept.lent(client);
        return client;
      }
    } finally {
      this.#waiting -= 1;
    }
  }

  async #lent(until: number): Promise<PostgresClient> {
    const end = Math.min(until, performance.now() + this.#connectMs);
    const connecting = this.#pool.connect();
    let isLate = false;
    try {
      const client = await inTime(connecting, end, () => {
        isLate = true;
        const message = `no connection to Postgres within ${this.#connectMs} ms`;
        return this.#refusal ?? new SessionStoreUnavailableError('unreachable', message);
      });
      this.#refusal = undefined;
      return client;
    } catch (error) {
      if (isLate) {
        connecting.then(
          (client) => client.release(),
          () => {},
        );
        throw error;
      }
      // Nothing was sent yet, whatever it was.
      const fault = stateOf(error) === null ? error : toSessionError(error);
      this.#refusal = isSessionError(fault)
        ? fault
        : new SessionStoreUnavailableError('unreachable', 'Postgres cannot be reached', {
            cause: error,
          });
      throw this.#refusal;
    }
  }

  async #ask(client: PostgresClient, statement: Statement, until: number): Promise<PostgresAnswer> {
    const asking = client.query(this.#query(statement));
    try {
      const answer = await inTime(asking, until, () => {
        this.#silentSince = performance.now();
        return new LostAnswer('Postgres did not answer in time');
      });
      this.#answered.set(client, performance.now());
      return answer;
    } catch (error) {
      if (error instanceof LostAnswer) asking.catch(() => {});
      if (stateOf(error) !== null) this.#answered.set(client, performance.now());
      throw error;
    }
  }

  #query({ text, values: given }: Statement): PostgresQuery {
    const values = given as unknown[];
    if (!this.#isNamed || values.length === 0) return { text, values, types };
    return { name: this.#nameOf(text), text, values, types };
  }

  #nameOf(text: string): string {
    let name = this.#names.get(text);
    if (name === undefined) {
      name = statementName(text);
      this.#names.set(text, name);
    }
    return name;
  }
}

/** A connection that breaks while it is lent tells so by an event, too; one that nobody hears ends the process. */
const ignore = (): void => {};

function giveBack(client: PostgresClient, destroy = false): void {
  // One that is destroyed may still break once more.
  if (!destroy) client.off?.('error', ignore);
  client.release(destroy);
}

/** A name that means the same text to whoever shares a connection: several stores, or processes behind a pooler. */
function statementName(text: string): string {
  return `lexigram_${createHash('sha256').update(text).digest('base64url').slice(0, 22)}`;
}

/** What waits, and when it fails: looked through now and then, for a timer of its own costs more than a wait. */
const waits = new Set<{ readonly end: number; readonly fail: () => void }>();
let looking: NodeJS.Timeout | undefined;
const lookMs = 20;

function look(): void {
  const now = performance.now();
  for (const wait of waits) {
    if (wait.end > now) continue;
    waits.delete(wait);
    wait.fail();
  }
  if (waits.size > 0) {
    looking?.refresh();
    return;
  }
  clearTimeout(looking);
  looking = undefined;
}

/** Settles as `promise` does, or fails soon after `end` (on `performance.now()`). */
function inTime<T>(promise: Promise<T>, end: number, late: () => Error): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const wait = { end, fail: () => reject(late()) };
    waits.add(wait);
    looking ??= setTimeout(look, lookMs);
    promise.then(
      (value) => {
        waits.delete(wait);
        resolve(value);
      },
      (error) => {
        waits.delete(wait);
        reject(error);
      },
    );
  });
}
