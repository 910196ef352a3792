import type { Wake } from '@lexigram/ai-session/store';
import { readEnds } from './changes.ts';
import type { Statements } from './statements.ts';

/** Milliseconds between two looks: while there is something to see, and at rest. */
const soonest = 4;
const latest = 200;
/** More positions than this are not looked through for their sessions. */
const span = 5_000;

/**
 * Tells who waits for changes. This process's commits are told within the turn of the event loop, or a few
 * milliseconds later while one follows another; those of others are found by asking for the file's version, a number
 * that costs a microsecond, more rarely the longer nothing happens.
 */
export class Watch {
  readonly #statements: Statements;
  readonly #watchers = new Set<(wake: Wake) => void>();
  #version: unknown;
  #toldUpTo = 0;
  #wait = latest;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #lastLook = 0;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  add(wake: (wake: Wake) => void): () => void {
    const watcher = (told: Wake): void => wake(told);
    if (this.#watchers.size === 0) this.#begin();
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.close();
    };
  }

  close(): void {
    this.#watchers.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** After a commit of this connection. */
  committed(): void {
    if (this.#watchers.size === 0 || this.#looking) return;
    this.#looking = true;
    const look = (): void => {
      this.#looking = false;
      this.#lastLook = performance.now();
      this.#look();
    };
    // Of commits that follow one another several are told at once: each look, and what it sets off, costs them time.
    if (performance.now() - this.#lastLook > soonest) setImmediate(look);
    else setTimeout(look, soonest).unref();
  }

  #begin(): void {
    this.#toldUpTo = readEnds(this.#statements).last;
    this.#version = this.#readVersion();
    this.#wait = latest;
    this.#schedule();
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      if (this.#hasVersionChanged()) {
        this.#wait = soonest;
        this.#look();
      } else {
        this.#wait = Math.min(latest, Math.ceil(this.#wait * 1.5));
      }
      if (this.#watchers.size > 0) this.#schedule();
    }, this.#wait);
    this.#timer.unref();
  }

  #hasVersionChanged(): boolean {
    const before = this.#version;
    try {
      this.#version = this.#readVersion();
    } catch {
      // Whoever is woken reads, and is told what is wrong.
      return true;
    }
    return this.#version !== before;
  }

  #readVersion(): unknown {
    return this.#statements.sql('PRAGMA data_version').get()?.data_version;
  }

  #look(): void {
    if (this.#watchers.size === 0) return;
    let wake: Wake = { from: null, sessions: null };
    try {
      const { last } = readEnds(this.#statements);
      if (last === this.#toldUpTo) return;
      const from = this.#toldUpTo;
      this.#toldUpTo = last;
      const few = last > from && last - from <= span;
      wake = {
        from: String(Math.min(from, last)),
        sessions: few ? this.#between(from, last) : null,
      };
    } catch {
      // As above.
    }
    for (const watcher of this.#watchers) watcher(wake);
  }

  #between(from: number, to: number): Wake['sessions'] {
    return this.#statements
      .sql(
        `SELECT s.session_id AS sessionId, s.tenant_id AS tenantId, s.user_id AS userId FROM ai_sessions s
         WHERE s.key IN (SELECT session FROM ai_turns WHERE id > ?1 AND id <= ?2
           UNION SELECT session FROM ai_journal WHERE id > ?1 AND id <= ?2)`,
      )
      .all(from, to)
      .map((row) => ({
        sessionId: row.sessionId as string,
        owner: { tenantId: row.tenantId as string | null, userId: row.userId as string },
      }));
  }
}
