import { SessionStoreUnavailableError } from '@lexigram/ai-session';
import type {
  FlushOutcome,
  LoadedSession,
  Need,
  OptimisticAccess,
  OptimisticEngine,
  SessionWrites,
} from '@lexigram/ai-session/store';
import type { ServerClock } from '../server-clock.ts';
import type { PostgresAnswer } from './client.ts';
import type { Connections, Runner, Statement } from './connections.ts';
import { isBroken, isLostRace, isTaken, toSessionError } from './faults.ts';
import { flushStatement } from './flush.ts';
import { TurnFlushes } from './flush-turns.ts';
import { loadStatement, toLoaded } from './load.ts';
import { openSchema, type Tables } from './schema.ts';

/** What the shared rules need of Postgres: one read, one write, and a lock for when others are always faster. */
export class PostgresEngine implements OptimisticEngine {
  readonly #connections: Connections;
  readonly #schema: string;
  readonly #clock: ServerClock;
  readonly #onCommit: (isHeard: boolean) => void;
  #tables: Tables;
  #turnFlushes: TurnFlushes;
  /** Whether others took the place of those tables. */
  #isReplaced = false;
  /** Until when others listen, as far as was asked. */
  #listening = 0;

  /** @param onCommit told of each flush, and whether others listen for one */
  constructor(
    connections: Connections,
    schema: string,
    clock: ServerClock,
    tables: Tables,
    onCommit: (isHeard: boolean) => void,
  ) {
    this.#onCommit = onCommit;
    this.#tables = tables;
    this.#turnFlushes = new TurnFlushes(schema, tables);
    this.#connections = connections;
    this.#schema = schema;
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  async load(sessionId: string, needs: readonly Need[], until: number): Promise<LoadedSession> {
    await this.#renew(until);
    return this.#load(sessionId, needs, (statement) => this.#connections.read(statement, until));
  }

  /** Once tables took the place of those that were there, as a dump does that is restored, they are opened anew. */
  async #renew(until: number): Promise<void> {
    if (!this.#isReplaced) return;
    const { tables } = await openSchema(this.#connections, this.#schema, until);
    this.#tables = tables;
    this.#turnFlushes = new TurnFlushes(this.#schema, tables);
    this.#isReplaced = false;
  }

  async #load(
    sessionId: string,
    needs: readonly Need[],
    run: (statement: Statement) => Promise<Record<string, unknown>[]>,
  ): Promise<LoadedSession> {
    const now = this.#clock.isServers ? null : this.#clock.now();
    const asked = Date.now();
    const [row = {}] = await run(loadStatement(this.#schema, sessionId, needs, now));
    this.#clock.observe(asked, row.clock as number);
    if (row.tables !== null && row.tables !== this.#tables.oid) {
      this.#isReplaced = true;
      // What was known comes from other tables: whoever asked begins anew.
      throw new SessionStoreUnavailableError('unreachable', 'the tables were replaced; try again');
    }
    return toLoaded(row, sessionId, needs);
  }

  flush(writes: SessionWrites, until: number): Promise<FlushOutcome> {
    return this.#flush(writes, (statement) => this.#connections.run(statement, until));
  }

  async #flush(
    writes: SessionWrites,
    run: (statement: Statement) => Promise<PostgresAnswer>,
  ): Promise<FlushOutcome> {
    const asked = Date.now();
    const isServersTime = this.#clock.isServers;
    try {
      const { rowCount, rows } = await run(
        this.#turnFlushes.statement(writes, isServersTime) ??
          flushStatement(this.#schema, this.#tables.oid, writes, isServersTime),
      );
      if ((rowCount ?? 0) === 0) return { outcome: 'moved' };
      const [row] = rows;
      if (row !== undefined) {
        this.#clock.observe(asked, row.clock as number);
        this.#listening = row.listening as number;
      }
      this.#onCommit(this.#listening > this.#clock.now());
      const key = (row?.key ?? writes.before?.key) as number;
      return { outcome: 'done', key, version: writes.version + 1 };
    } catch (error) {
      if (isTaken(error)) return { outcome: 'taken' };
      if (isLostRace(error)) return { outcome: 'moved' };
      const fault = toSessionError(error);
      // An error of ours was thrown before anything was sent.
      if (fault !== error && isBroken(error)) return { outcome: 'unknown', error: fault };
      throw fault;
    }
  }

  async exclusively<T>(until: number, work: (access: OptimisticAccess) => Promise<T>): Promise<T> {
    try {
      await this.#renew(until);
      return await this.#connections.transaction(until, (runner) => work(this.#inside(runner)));
    } catch (error) {
      throw toSessionError(error);
    }
  }

  #inside(runner: Runner): OptimisticAccess {
    let isLocked = false;
    return {
      now: () => this.now(),
      load: async (sessionId, needs, until) => {
        if (!isLocked) {
          const text = `SELECT key FROM "${this.#schema}".ai_sessions WHERE session_id = $1 FOR UPDATE`;
          await runner.run({ text, values: [sessionId] }, until);
          isLocked = true;
        }
        return this.#load(sessionId, needs, async (statement) => {
          const { rows } = await runner.run(statement, until);
          return rows;
        });
      },
      flush: (writes, until) =>
        this.#flush(writes, async (statement) => {
          const answer = await runner.run(statement, until);
          await runner.run({ text: 'COMMIT', values: [] }, until);
          return answer;
        }),
    };
  }
}
