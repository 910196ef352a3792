import type { Wake } from '@lexigram/ai-session/store';
import { readEnds } from './changes.ts';
import type { PostgresClient, PostgresPool, RunSql } from './client.ts';

/** Milliseconds between two looks at whether something was committed: without a bell, and with one. */
const pollMs = 400;
const pollWithBellMs = 900;
/** How soon to look again at what may still have others come before it. */
const hiddenMs = 5;
/** More positions than this are not looked through for their sessions. */
const span = 5_000;
/** How long others go on ringing for us once told so, and how often they are told. */
const listeningMs = 60_000;
const renewMs = 20_000;

/**
 * Tells who waits for changes. This process's commits are told at once. Those of others are told by a bell, NOTIFY on
 * a connection of its own; where there is none, by looking now and then. The bell carries nothing: the tables are the
 * truth, and are looked at after each ring.
 */
export class Watch {
  readonly #read: RunSql;
  readonly #schema: string;
  #bells: PostgresPool | null;
  readonly #watchers = new Set<(wake: Wake) => void>();
  #toldUpTo: number | null = null;
  #looking = false;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #listener: PostgresClient | undefined;
  #isConnecting = false;
  #renewed = Number.NEGATIVE_INFINITY;

  /** @param bells where to listen; null behind a pooler, which forgets who listens */
  constructor(read: RunSql, schema: string, bells: PostgresPool | null) {
    this.#read = read;
    this.#schema = schema;
    this.#bells = bells;
  }

  add(wake: (wake: Wake) => void): () => void {
    const watcher = (told: Wake): void => wake(told);
    this.#watchers.add(watcher);
    if (this.#watchers.size === 1) this.#begin();
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.close();
    };
  }

  close(): void {
    this.#watchers.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#listener?.release(true);
    this.#listener = undefined;
    this.#toldUpTo = null;
  }

  /** After a commit of this process. */
  committed(): void {
    if (this.#watchers.size > 0) this.#look();
  }

  #begin(): void {
    this.#look();
    this.#schedule(0);
  }

  #schedule(wait: number): void {
    if (this.#watchers.size === 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      void this.#listen();
      this.#look();
      this.#schedule(this.#listener === undefined ? pollMs : pollWithBellMs);
    }, wait);
    this.#timer.unref();
  }

  async #listen(): Promise<void> {
    const now = performance.now();
    try {
      if (this.#bells !== null && this.#listener === undefined && !this.#isConnecting) {
        this.#isConnecting = true;
        await this.#connect(this.#bells);
      }
      if (this.#listener !== undefined && now - this.#renewed > renewMs) {
        this.#renewed = now;
        await this.#read(
          `UPDATE "${this.#schema}".ai_positions SET listening =
             (extract(epoch FROM clock_timestamp()) * 1000)::bigint + ${listeningMs} RETURNING 1`,
        );
      }
    } catch {
      // Without a bell there is still the looking.
      this.#deaf();
    } finally {
      this.#isConnecting = false;
    }
  }

  async #connect(bells: PostgresPool): Promise<void> {
    const listener = await bells.connect();
    // A client that has no events cannot hear.
    if (typeof listener.on !== 'function') this.#bells = null;
    if (this.#watchers.size === 0 || typeof listener.on !== 'function') {
      listener.release(true);
      return;
    }
    listener.on('error', () => this.#deaf());
    listener.on('notification', () => this.#look());
    // Whoever waits keeps no process alive.
    listener.unref?.();
    this.#listener = listener;
    this.#renewed = Number.NEGATIVE_INFINITY;
    await listener.query({ text: `LISTEN "${channelOf(this.#schema)}"` });
  }

  #deaf(): void {
    this.#listener?.release(true);
    this.#listener = undefined;
  }

  #look(): void {
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = true;
    void this.#lookNow().finally(() => {
      this.#looking = false;
      if (!this.#again || this.#watchers.size === 0) return;
      this.#again = false;
      this.#look();
    });
  }

  async #lookNow(): Promise<void> {
    let wake: Wake = { from: null, sessions: null };
    try {
      const { hidden, last } = await readEnds(this.#read, this.#schema);
      if (hidden) setTimeout(() => this.#look(), hiddenMs).unref();
      const from = this.#toldUpTo;
      this.#toldUpTo = last;
      if (from === last) return;
      // Where it began is not known: whoever waits looks for itself.
      if (from !== null && last > from) wake = await this.#between(from, last);
    } catch {
      // Whoever is woken reads, and is told what is wrong.
      this.#toldUpTo = null;
    }
    for (const watcher of this.#watchers) watcher(wake);
  }

  async #between(from: number, to: number): Promise<Wake> {
    const some = (table: string): string =>
      `(SELECT session FROM "${this.#schema}".${table} WHERE position > $1::bigint AND position <= $2::bigint
        LIMIT ${span})`;
    const rows = await this.#read(
      `SELECT s.session_id AS "sessionId", s.tenant_id AS "tenantId", s.user_id AS "userId",
         (SELECT count(*) FROM (${some('ai_turns')} UNION ALL ${some('ai_journal')}) n) AS rows
       FROM "${this.#schema}".ai_sessions s WHERE s.key IN (${some('ai_turns')} UNION ${some('ai_journal')})`,
      from,
      to,
    );
    const isAll = rows.length > 0 && (rows[0]?.rows as number) < span;
    const sessions = rows.map((row) => ({
      sessionId: row.sessionId as string,
      owner: { tenantId: row.tenantId as string | null, userId: row.userId as string },
    }));
    return { from: String(from), sessions: isAll ? sessions : null };
  }
}

function channelOf(schema: string): string {
  return `lexigram_${schema}`.slice(0, 63);
}

/** How many milliseconds of commits share one ring. */
const ringMs = 25;

/** Rings for those who listen in other processes, soon after commits of this one and not as a part of them. */
export class Bell {
  readonly #read: RunSql;
  readonly #channel: string;
  #timer: NodeJS.Timeout | undefined;
  #last = Number.NEGATIVE_INFINITY;

  constructor(read: RunSql, schema: string) {
    this.#read = read;
    this.#channel = channelOf(schema);
  }

  ring(): void {
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#last + ringMs - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#last = performance.now();
      // Those who miss it look now and then.
      this.#read('SELECT pg_notify($1, $2)', this.#channel, '').catch(() => {});
    }, wait);
    this.#timer.unref();
  }
}
