import { randomInt } from 'node:crypto';
import { SessionInputError, SessionNotFoundError } from '../errors.ts';
import type { Engine } from '../manager/engine.ts';
import { readTurns } from '../manager/read-turns.ts';
import { kindOf } from '../session/ids.ts';
import { isPlainObject } from '../session/json.ts';
import { checkOptions } from '../session/options.ts';
import type { TurnRole } from '../session/turn.ts';
import type { SessionRow } from '../store/rows.ts';
import { consolidationPlace } from './consolidation.ts';
import { ConsolidationLease } from './consolidation-lease.ts';
import { type MemoryDraft, memoryRecords, parseMemories } from './memory.ts';
import type { MemoryConsolidator } from './memory-consolidator.ts';
import type { MemoryEntry } from './memory-entry.ts';

/** How a run ended; `left` if there was nothing to do, or somebody else is at it. */
export type RunOutcome =
  | { readonly ended: 'done' | 'left' }
  | { readonly ended: 'failed'; readonly error: unknown; readonly retryInMs: number };

const left: RunOutcome = { ended: 'left' };
const defaults = { leaseMs: 15_000, timeoutMs: 600_000, retryMs: 10_000 };
const longestRetryMs = 24 * 60 * 60 * 1000;
const maxStatistics = 32;
/** Characters of an error's name and message that are kept. */
const maxMessage = 1_000;

/**
 * Runs the consolidation that a session owes, under a lease, and notes how it ended. With `stop` the run is broken
 * off, and owed as before.
 */
export async function consolidateSession(
  engine: Engine,
  consolidator: MemoryConsolidator,
  sessionId: string,
  stop: AbortSignal,
): Promise<RunOutcome> {
  const { leaseMs, retryMs, timeoutMs } = timesOf(consolidator);
  const { key, kind } = consolidationPlace;
  const record = await engine.store.record(sessionId, kind, key);
  if (record === null || stop.aborted) return left;
  const lease = await ConsolidationLease.take(engine, sessionId, record, leaseMs);
  if (lease === null) return left;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(tooLate(timeoutMs)), timeoutMs);
  timer.unref();
  const signal = AbortSignal.any([lease.signal, stop, late.signal]);
  const { attempts, memories: before } = lease.value;
  try {
    const run = new Run(engine, await engine.session(sessionId), lease.token, attempts, signal);
    const { memories, statistics } = await run.of(consolidator);
    const value = { attempts, lastError: null, memories: memories.length, statistics } as const;
    const records = memoryRecords(memories, before);
    const ended = await lease.end({ ...value, state: 'done' }, null, records);
    return ended ? { ended: 'done' } : left;
  } catch (error) {
    if (error instanceof SessionNotFoundError) {
      lease.drop();
      return left;
    }
    if (stop.aborted) {
      await lease.end({ ...lease.value, state: 'owed', attempts: attempts - 1 }, 0);
      return left;
    }
    const retryInMs = backoff(retryMs, attempts);
    const lastError = told(error);
    const ended = await lease.end({ ...lease.value, state: 'failed', lastError }, retryInMs);
    return ended ? { ended: 'failed', error, retryInMs } : left;
  } finally {
    clearTimeout(timer);
  }
}

function tooLate(timeoutMs: number): DOMException {
  return new DOMException(`the consolidation took longer than ${timeoutMs} ms`, 'TimeoutError');
}

/** The times of a consolidator. @throws SessionInputError */
export function timesOf(consolidator: MemoryConsolidator): typeof defaults {
  const times = { ...defaults };
  for (const name of ['leaseMs', 'timeoutMs', 'retryMs'] as const) {
    const given = consolidator[name];
    if (given === undefined) continue;
    if (!Number.isSafeInteger(given) || given < 1 || given > longestRetryMs) {
      const problem = `expected whole milliseconds from 1 to ${longestRetryMs}, got ${kindOf(given)}`;
      throw new SessionInputError(`consolidator.${name}`, problem);
    }
    times[name] = given;
  }
  return times;
}

/** Twice as long each time, up to a day, and a fifth more or less. */
function backoff(retryMs: number, attempts: number): number {
  const ms = Math.min(longestRetryMs, retryMs * 2 ** Math.min(attempts - 1, 30));
  return Math.ceil((ms * randomInt(80, 121)) / 100);
}

/** What is kept of an error: it may be anything. */
function told(error: unknown): { readonly name: string; readonly message: string } {
  const { message, name } =
    error instanceof Error ? error : { name: 'Error', message: `threw ${kindOf(error)}` };
  const cut = (text: string): string =>
    String(text).toWellFormed().replaceAll('\0', '').slice(0, maxMessage).toWellFormed();
  return { name: cut(name), message: cut(message) };
}

/** One run of a consolidator over one history. */
class Run {
  readonly #engine: Engine;
  readonly #row: SessionRow;
  readonly #token: number;
  readonly #attempt: number;
  readonly #signal: AbortSignal;
  readonly #roles = new Map<number, TurnRole>();
  #read = 0;

  constructor(
    engine: Engine,
    row: SessionRow,
    token: number,
    attempt: number,
    signal: AbortSignal,
  ) {
    this.#engine = engine;
    this.#row = row;
    this.#token = token;
    this.#attempt = attempt;
    this.#signal = signal;
  }

  async of(consolidator: MemoryConsolidator): Promise<{
    readonly memories: Parameters<typeof memoryRecords>[0];
    readonly statistics: Readonly<Record<string, number>>;
  }> {
    const started = performance.now();
    const session = await this.#engine.state(this.#row);
    const run = { session, attempt: this.#attempt, token: this.#token, signal: this.#signal };
    const consolidated = consolidator.consolidate(this.#entries(), Object.freeze(run));
    const result = await untilAborted(consolidated, this.#signal);
    const path = 'the result of consolidate';
    const given = checkOptions(result, ['memories', 'statistics'], path);
    const drafts = parseMemories(given.memories, this.#row.head.seq);
    const own = parseStatistics(given.statistics);
    const memories = [];
    for (const draft of drafts) memories.push({ ...draft, roles: await this.#rolesOf(draft) });
    const durationMs = Math.round(performance.now() - started);
    return { memories, statistics: { ...own, entries: this.#read, durationMs } };
  }

  async *#entries(): AsyncGenerator<MemoryEntry, void, undefined> {
    const { head, owner, sessionId } = this.#row;
    for await (const turn of readTurns(this.#engine, this.#row, 1, head.seq, 'asc')) {
      this.#signal.throwIfAborted();
      this.#roles.set(turn.seq, turn.role);
      this.#read = Math.max(this.#read, turn.seq);
      yield Object.freeze({ sessionId, ...owner, turn });
    }
  }

  /** Who said the turns that a memory comes from: told by the turns, not by the consolidator. */
  async #rolesOf({ fromSeq, toSeq }: MemoryDraft): Promise<readonly TurnRole[]> {
    const roles = new Set<TurnRole>();
    for (let seq = fromSeq; seq <= toSeq; seq++) {
      if (!this.#roles.has(seq)) {
        for await (const turn of readTurns(this.#engine, this.#row, seq, toSeq, 'asc')) {
          this.#roles.set(turn.seq, turn.role);
        }
      }
      roles.add(this.#roles.get(seq) as TurnRole);
    }
    return [...roles].sort();
  }
}

/** What a consolidator answers; one that does not listen to its signal is not waited for. */
async function untilAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    if (signal.aborted) abort();
    return await Promise.race([answer, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function parseStatistics(given: unknown): Readonly<Record<string, number>> {
  if (given === undefined) return {};
  const problem = `expected up to ${maxStatistics} finite numbers by name`;
  if (!isPlainObject(given)) throw new SessionInputError('statistics', problem);
  const counts = Object.entries(given);
  const fits = counts.every(
    ([name, count]) => name.length <= 64 && name !== '__proto__' && Number.isFinite(count),
  );
  if (fits && counts.length <= maxStatistics) return Object.fromEntries(counts) as never;
  throw new SessionInputError('statistics', problem);
}
