import {
  SessionCorruptDataError,
  SessionInputError,
  SessionLeaseError,
  SessionLimitError,
} from '../errors.ts';
import type { Engine } from '../manager/engine.ts';
import { Lease, readLease, takingLease, wasHeld } from '../manager/lease.ts';
import { refusalError } from '../manager/refusal-error.ts';
import { kindOf, newTurnId } from '../session/ids.ts';
import { checkText, utf8Bytes } from '../session/json.ts';
import { limits } from '../session/limits.ts';
import { SessionStateMachine } from '../session/state-machine.ts';
import type { SessionTurn } from '../session/turn.ts';
import type { OperationKey } from '../store/port.ts';
import type { SessionRow } from '../store/rows.ts';
import { cacheOf } from './digest-cache.ts';
import type { TurnDigest } from './digest-turn.ts';
import { groupTurns } from './group-turns.ts';
import { HistoryReader } from './history-reader.ts';
import {
  findOverlay,
  joinRules,
  type Overlay,
  overlayKey,
  overlayRecord,
  type StoredOverlay,
  shownOverlay,
} from './overlay.ts';
import type { ParsedCompaction } from './parse-compaction.ts';

/**
 * Makes a summary of the oldest turns of a session and stores it beside them, under a lease. The range ends where
 * no call and its result are parted. What others append meanwhile is not in it and stays as it is; a summary that
 * was made meanwhile is answered instead.
 *
 * @throws SessionLeaseError if another process is at it; what the summariser throws
 */
export async function compactSession(
  engine: Engine,
  row: SessionRow,
  options: ParsedCompaction,
): Promise<Overlay | null> {
  const { sessionId } = row;
  const { operation } = options;
  const done = await engine.recall(sessionId, operation);
  if (done === null) checkWritable(row);
  const reader = await HistoryReader.open(engine, row, cacheOf(engine.store), options.countTokens);
  const before = await findOverlay(engine.store, row, reader.history, undefined);
  if (done !== null) return shownOverlay(before);
  const to = await endOfRange(reader, before?.toSeq ?? 0, options.upTo);
  if (to === null) return shownOverlay(before);
  const lease = await takeLease(engine, sessionId, options.leaseMs);
  const lost = new AbortController();
  lease.beat(() => lost.abort(leaseLost(sessionId)));
  const signal = AbortSignal.any([lost.signal, ...(options.signal ? [options.signal] : [])]);
  try {
    const since = await findOverlay(engine.store, row, reader.history, undefined);
    if ((since?.toSeq ?? 0) > (before?.toSeq ?? 0)) {
      // Another process was done between our look and our lease.
      await giveBack(engine, sessionId, lease);
      return shownOverlay(since);
    }
    const summary = await summariseRange(reader, before, to, options, signal);
    return await store(engine, row, reader, lease, { summary, before, to, operation });
  } catch (error) {
    await giveBack(engine, sessionId, lease);
    throw error;
  } finally {
    lease.stop();
  }
}

function checkWritable(row: SessionRow): void {
  const allowed: readonly string[] = SessionStateMachine.allowed.write;
  if (allowed.includes(row.status)) return;
  throw refusalError(row.sessionId, { refused: 'status', session: row }, 'active');
}

/** The last seq up to the wanted one that parts no call from its result; null if nothing would be new. */
async function endOfRange(
  reader: HistoryReader,
  after: number,
  wanted: (reader: HistoryReader) => Promise<number>,
): Promise<number | null> {
  const until = Math.min(await wanted(reader), reader.length);
  if (until <= after) return null;
  const digests = await reader.digests(after, false);
  let to = until;
  for (const { digests: members } of groupTurns(
    digests,
    undefined,
    () => false,
  ).groups.toReversed()) {
    const first = members[0]?.seq ?? 0;
    const last = Math.max(...members.map(({ seq }) => seq));
    if (first <= to && last > to) to = first - 1;
  }
  const opens = promptLength(after === 0 ? digests : []);
  return to > Math.max(after, opens) ? to : null;
}

/** The system prompt is shown as it is: a range that ends within it has nothing to sum up. */
function promptLength(digests: readonly TurnDigest[]): number {
  const other = digests.findIndex(({ role }) => role !== 'system');
  return other === -1 ? digests.length : other;
}

async function takeLease(engine: Engine, sessionId: string, ms: number): Promise<Lease> {
  const before = await readLease(engine, sessionId, 'compaction');
  const holder = newTurnId();
  const { guards, record } = takingLease(before, holder, ms, 'compaction');
  const result = await engine.try(sessionId, { guards: { records: guards }, records: [record] });
  if (result.refused === undefined) {
    return Lease.taken(engine, sessionId, holder, ms, before, 'compaction');
  }
  if (result.refused !== 'expected') throw refusalError(sessionId, result, 'active');
  throw new SessionLeaseError(
    `A summary of session '${sessionId}' is being made${wasHeld(before) ? ' by another process' : ''}; wait for it, or until its lease has run out`,
  );
}

function leaseLost(sessionId: string): SessionLeaseError {
  return new SessionLeaseError(
    `The lease to sum up session '${sessionId}' ran out and another process has it now`,
  );
}

async function giveBack(engine: Engine, sessionId: string, lease: Lease): Promise<void> {
  try {
    await engine.try(sessionId, { guards: { records: [lease.guard] }, records: [lease.release] });
  } catch {
    // It runs out by itself; what went wrong before is what the caller has to know.
  }
}

/** Sums up a piece at a time, so that neither memory nor a model has to hold all of it. */
async function summariseRange(
  reader: HistoryReader,
  before: StoredOverlay | null,
  to: number,
  options: ParsedCompaction,
  signal: AbortSignal,
): Promise<string> {
  const { chunkTokens, countTokens, maxTokens, summarise } = options;
  let previous = before?.summary ?? null;
  let piece: SessionTurn[] = [];
  let tokens = 0;
  const flush = async (): Promise<void> => {
    if (piece.length === 0) return;
    signal.throwIfAborted();
    const summary: unknown = await summarise({
      previous,
      turns: Object.freeze(piece),
      maxTokens,
      countTokens,
      signal,
    });
    signal.throwIfAborted();
    previous = checkSummary(summary);
    piece = [];
    tokens = 0;
  };
  const digests = (await reader.digests(before?.toSeq ?? 0, false)).filter(({ seq }) => seq <= to);
  const prompt = before === null ? promptLength(digests) : 0;
  const { groups } = groupTurns(digests.slice(prompt), undefined, () => true);
  for (const group of groups) {
    if (tokens > 0 && tokens + group.tokens > chunkTokens) await flush();
    const seqs = group.digests.map(({ seq }) => seq).sort((a, b) => a - b);
    const turns = await reader.turnsAt(seqs);
    piece.push(...group.digests.flatMap(({ seq }) => turns.get(seq) ?? []));
    tokens += group.tokens;
  }
  await flush();
  return previous ?? 'Nothing was said.';
}

function checkSummary(summary: unknown): string {
  if (typeof summary !== 'string' || summary.trim() === '') {
    throw new SessionInputError('summarise', `answered ${kindOf(summary)}, no text`);
  }
  checkText(summary, 'summarise');
  const bytes = utf8Bytes(summary);
  const max = limits.summaryBytes;
  if (bytes > max) throw new SessionLimitError('the summary', 'summaryBytes', bytes, max, 'bytes');
  return summary;
}

/** A summary that is not stored yet. */
interface MadeSummary {
  readonly summary: string;
  /** The one that it goes on from. */
  readonly before: StoredOverlay | null;
  /** The seq of the last turn that is in it. */
  readonly to: number;
  readonly operation: OperationKey | undefined;
}

async function store(
  engine: Engine,
  row: SessionRow,
  reader: HistoryReader,
  lease: Lease,
  { before, operation, summary, to }: MadeSummary,
): Promise<Overlay | null> {
  const { sessionId } = row;
  const [end] = await reader.history.turns(to, to);
  if (end === undefined) throw new SessionCorruptDataError(`seq ${to}`, 'the turn is missing');
  const digests = await reader.digests(before?.toSeq ?? 0, false);
  const rules = joinRules(
    before,
    digests.filter(({ seq }) => seq <= to),
  );
  const absent = { kind: 'overlay', key: overlayKey(end), version: null };
  const result = await engine.try(sessionId, {
    guards: { status: SessionStateMachine.allowed.write, records: [lease.guard, absent] },
    records: [overlayRecord(summary, end, rules), lease.release],
    ...(operation === undefined ? {} : { operation }),
  });
  if (result.refused !== undefined && result.refused !== 'expected') {
    throw refusalError(sessionId, result, 'active');
  }
  const made = await findOverlay(engine.store, row, reader.history, undefined);
  if (result.refused === 'expected' && (made?.toSeq ?? 0) < to) throw leaseLost(sessionId);
  if (result.refused === 'expected') await giveBack(engine, sessionId, lease);
  return shownOverlay(made);
}
