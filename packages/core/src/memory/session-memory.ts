import { expire } from '../cleanup/expire.ts';
import {
  SessionInputError,
  SessionLeaseError,
  SessionTransitionError,
  SessionUnsupportedError,
} from '../errors.ts';
import { type Engine, type ServiceOptions, toEngine } from '../manager/engine.ts';
import { readTurns } from '../manager/read-turns.ts';
import { checkSessionId, kindOf } from '../session/ids.ts';
import { limits } from '../session/limits.ts';
import { checkOptions } from '../session/options.ts';
import { type Page, type PageOptions, parseCursor, parseLimit, toCursor } from '../session/page.ts';
import type { SessionRow } from '../store/rows.ts';
import {
  type Consolidation,
  consolidationPlace,
  owedRecord,
  readConsolidation,
} from './consolidation.ts';
import type { ConsolidationCounts } from './consolidation-queue.ts';
import { type Memory, readMemory } from './memory.ts';
import type { MemoryEntry } from './memory-entry.ts';
import { type MemoryParts, MemoryWork } from './memory-work.ts';
import type { WorkingMemory } from './working-memory.ts';

/** Memory for one owner. */
export type ScopedSessionMemory = Omit<SessionMemory, 'consolidateOwed' | 'close'>;

/** What failed is tried again within a day and its jitter, so that it is due within two. */
const farthestMs = 2 * 24 * 60 * 60 * 1000;
const { key, kind } = consolidationPlace;

/**
 * Memory: what is at hand of conversations that go on, and what a consolidator made of those that ended. Any call may
 * throw SessionInputError, SessionNotFoundError and SessionStoreUnavailableError.
 */
export class SessionMemory {
  readonly #engine: Engine;
  readonly #work: MemoryWork;

  /** Over a store of your own; `createSessions` makes one that hears of the turns of its other services. */
  constructor(over: ServiceOptions, parts: MemoryParts = {}) {
    this.#engine = toEngine(over);
    this.#work = parts instanceof MemoryWork ? parts : new MemoryWork(this.#engine, parts);
  }

  /** Whether sessions that end owe a consolidation: there is a consolidator, and `consolidateOnClose` is on. */
  get consolidates(): boolean {
    return this.#work.queue !== null && this.#engine.config.consolidateOnClose;
  }

  /**
   * What the working memory has of a session that fits a query, in at most so many tokens, in order of seq. If it has
   * not seen the newest turn, it is filled with the last hundred first.
   *
   * @throws SessionUnsupportedError without a working memory
   */
  async assemble(
    sessionId: string,
    query: string,
    tokenBudget: number,
  ): Promise<readonly MemoryEntry[]> {
    const row = await this.#engine.session(sessionId);
    if (typeof query !== 'string') {
      throw new SessionInputError('query', `expected a text, got ${kindOf(query)}`);
    }
    if (!Number.isSafeInteger(tokenBudget) || tokenBudget < 0) {
      const problem = `expected a whole number from 0, got ${kindOf(tokenBudget)}`;
      throw new SessionInputError('tokenBudget', problem);
    }
    const working = this.#working();
    await this.#fill(working, row);
    return working.assemble(query, tokenBudget, sessionId);
  }

  /** All that the working memory has of a session, in order of seq; filled as for `assemble`. */
  async entries(sessionId: string): Promise<readonly MemoryEntry[]> {
    const row = await this.#engine.session(sessionId);
    const working = this.#working();
    await this.#fill(working, row);
    return working.getContextEntries(sessionId);
  }

  #working(): WorkingMemory {
    if (this.#work.workingMemory !== null) return this.#work.workingMemory;
    throw new SessionUnsupportedError('There is no working memory: parts.workingMemory is null');
  }

  /** Another process wrote, or this one has just begun: what is at hand is not what the session has. */
  async #fill(working: WorkingMemory, row: SessionRow): Promise<void> {
    const { head, owner, sessionId } = row;
    const last = (await working.getContextEntries(sessionId)).at(-1)?.turn;
    if (last?.turnId === head.turnId && last.seq === head.seq) return;
    const entries: MemoryEntry[] = [];
    const from = Math.max(1, head.seq - limits.page + 1);
    for await (const turn of readTurns(this.#engine, row, from, head.seq, 'asc')) {
      entries.push(Object.freeze({ sessionId, ...owner, turn }));
    }
    await working.flush(sessionId);
    for (const entry of entries) await working.add(entry);
  }

  /** What consolidation left of a session, in the order in which the consolidator gave it. */
  async list(sessionId: string, options?: PageOptions): Promise<Page<Memory>> {
    checkSessionId(sessionId);
    const given = checkOptions(options, ['limit', 'cursor']);
    const limit = parseLimit(given.limit);
    const name = `memories of ${sessionId}`;
    const after = parseCursor(given.cursor, name, ['key'])?.[0];
    await this.#engine.session(sessionId);
    const records = await this.#engine.store.records(sessionId, 'memory', {
      limit: limit + 1,
      ...(after === undefined ? {} : { after }),
    });
    const items = records.slice(0, limit).map((record) => readMemory(sessionId, record));
    const last = records.length > limit ? records[limit - 1] : undefined;
    return Object.freeze({
      items: Object.freeze(items),
      nextCursor: last === undefined ? null : toCursor(name, last.key),
    });
  }

  /** How the consolidation of a session stands; null if it never owed one. */
  async consolidation(sessionId: string): Promise<Consolidation | null> {
    await this.#engine.session(sessionId);
    const record = await this.#engine.store.record(sessionId, kind, key);
    return record === null ? null : readConsolidation(sessionId, record);
  }

  /** Consolidations whose last run failed, those first that are tried again first; at most `limit`. */
  async failures(
    options?: Pick<PageOptions, 'limit'>,
  ): Promise<{ readonly items: readonly Consolidation[] }> {
    const limit = parseLimit(checkOptions(options, ['limit']).limit);
    const items: Consolidation[] = [];
    const { owner, store } = this.#engine;
    const due = await store.due({ kind, withinMs: farthestMs, limit: limits.pageMax });
    for (const item of due) {
      if (items.length >= limit || item.due !== 'record') continue;
      const consolidation = readConsolidation(item.sessionId, item.record);
      if (consolidation.lastError === null) continue;
      if (owner !== undefined && (await store.session(item.sessionId, owner)) === null) continue;
      items.push(consolidation);
    }
    return Object.freeze({ items: Object.freeze(items) });
  }

  /**
   * Consolidates a session that has ended, now: one that failed, one that was done, or one that never owed it. If this
   * process is at it already, waits for that. Answers how it stands then, `failed` included.
   *
   * @throws SessionTransitionError if it has not ended; SessionLeaseError if another process is at it;
   * SessionUnsupportedError without a consolidator
   */
  async consolidate(sessionId: string): Promise<Consolidation> {
    const { queue } = this.#work;
    const row = await this.#engine.session(sessionId);
    if (queue === null) {
      throw new SessionUnsupportedError('There is no consolidator; give one as a part');
    }
    if (row.status !== 'closed' && row.status !== 'expired') {
      throw new SessionTransitionError(sessionId, row.status, 'consolidated');
    }
    // Before it is marked a session has not ended yet: the mark would owe a consolidation once more.
    if (row.status === 'expired') await expire(this.#engine, sessionId);
    if (!queue.isAt(sessionId) && !(await this.#owe(sessionId)) && !queue.isAt(sessionId)) {
      throw busy(sessionId);
    }
    const { ended } = await queue.run(sessionId);
    const now = await this.consolidation(sessionId);
    if (now !== null && ended !== 'left') return now;
    throw busy(sessionId);
  }

  /** Notes that a session owes, if it does not yet; false if somebody else was faster. */
  async #owe(sessionId: string): Promise<boolean> {
    const record = await this.#engine.store.record(sessionId, kind, key);
    const before = record === null ? null : readConsolidation(sessionId, record);
    // One whose process has died is past its time, and can be taken as it is.
    if (record !== null && before?.state === 'running') return true;
    const result = await this.#engine.put(sessionId, {
      guards: { records: [{ kind, key, version: record?.version ?? null }] },
      records: [owedRecord(before?.memories)],
    });
    return result.refused === undefined;
  }

  /**
   * Runs all that is owed and due: what ended here, and what processes that died left. Waits for the runs of this
   * process that are on their way, too, and counts its own.
   */
  async consolidateOwed(): Promise<ConsolidationCounts> {
    return (await this.#work.queue?.runOwed()) ?? { done: 0, failed: 0 };
  }

  /** Begins no more runs; waits up to ten seconds for those on their way, and breaks off what is left. */
  async close(): Promise<void> {
    await this.#work.queue?.stop();
  }
}

function busy(sessionId: string): SessionLeaseError {
  return new SessionLeaseError(`Session '${sessionId}' is being consolidated by another process`);
}
