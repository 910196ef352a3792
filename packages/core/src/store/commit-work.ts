import { SessionCorruptDataError } from '../errors.ts';
import { timelineId } from '../session/ids.ts';
import type { SessionStatus } from '../session/state.ts';
import {
  appendTurns,
  type Draft,
  expiryAt,
  findRepeat,
  numberCheckpoint,
  turnRow,
} from './append-turns.ts';
import { checkpointRecord, heldMark, markRecord } from './checkpoints.ts';
import { checkpointData, fullData, moveData } from './journal-data.ts';
import { rememberOperation } from './operations.ts';
import type {
  Append,
  Commit,
  CommitResult,
  NewCheckpoint,
  NewTurn,
  Pointer,
  RecordWrite,
  Refusal,
} from './port.ts';
import type {
  ChangeType,
  MarkRow,
  NewTimeline,
  Point,
  RecordRow,
  VariablesVersion,
} from './rows.ts';
import {
  lookAgain,
  type StoredSession,
  type StoreTransaction,
  toSessionHead,
  variablesOf,
  writeRecords,
} from './transaction.ts';
import { isWhole, patchText, variablesInterval } from './variables.ts';

/** One commit on its way: what it has changed so far, and what it will answer. */
export class CommitWork {
  readonly #tx: StoreTransaction;
  readonly #before: StoredSession;
  readonly #commit: Commit;
  readonly #next: Draft;
  #answered: readonly { readonly seq: number; readonly at: number }[] = [];
  readonly #checkpoints: RecordRow[] = [];
  /** Turns at which an automatic checkpoint stands, with the variables there. */
  #marks: MarkRow[] = [];
  /** Entries of the journal so far. */
  #parts = 0;

  constructor(tx: StoreTransaction, session: StoredSession, commit: Commit) {
    this.#tx = tx;
    this.#before = session;
    this.#commit = commit;
    this.#next = { ...session };
    const seen =
      commit.event !== undefined ||
      (commit.append !== undefined && commit.append.timelineId === undefined);
    if (seen) {
      this.#next.revision += 1;
      this.#next.updatedAt = tx.now;
    }
  }

  run(variables: string | null): CommitResult {
    const { append, checkpoint, event, expiry, operation, pointer, records, status, timeline } =
      this.#commit;
    const { rebase } = this.#commit;
    const next = this.#next;
    if (timeline !== undefined) {
      const previous = timelineId(next.sessionId, next.timeline);
      this.#tx.addTimeline(next, { ...timeline, previous });
      next.timelines += 1;
    }
    if (rebase !== undefined) this.#rebase(rebase);
    if (pointer !== undefined) this.#swing(pointer);
    if (append !== undefined) {
      const repeat = append.timelineId === undefined ? this.#append(append.turns) : this.#stage();
      if (repeat !== null) return repeat;
    }
    if (variables !== null) this.#patch(variables);
    for (const mark of this.#marks) this.#checkpoints.push(markRecord(mark));
    if (status !== undefined) this.#setStatus(status.to, status.reason ?? null);
    if (checkpoint !== undefined) this.#checkpoint(checkpoint);
    if (pointer !== undefined) this.#reflog(pointer.move);
    if (records !== undefined) this.#write(records);
    if (expiry !== undefined) next.expiresAt = expiryAt(expiry, next.createdAt, this.#tx.now);
    if (event !== undefined && pointer === undefined && checkpoint === undefined) {
      this.#journal(event.type, event.data ?? null);
    }
    next.dueAt = lookAgain(next);
    this.#tx.putSession(next);

    const result = {
      session: toSessionHead(next, this.#tx.now),
      turns: this.#answered,
      checkpoints: this.#checkpoints,
      replayed: false,
    };
    if (operation !== undefined) rememberOperation(this.#tx, next, operation, result);
    return result;
  }

  #rebase(timeline: NewTimeline): void {
    const next = this.#next;
    const start = { seq: 0, tokens: 0, cost: 0 };
    const before = this.#tx.timeline(next, timeline.timelineId)?.base ?? start;
    const base = timeline.base ?? start;
    const by = {
      seq: base.seq - before.seq,
      tokens: base.tokens - before.tokens,
      cost: base.cost - before.cost,
    };
    const previous = timelineId(next.sessionId, next.timeline);
    this.#tx.moveTimeline(next, { ...timeline, previous }, by);
  }

  #swing({ cap, to, wrote }: Pointer): void {
    const next = this.#next;
    next.timeline = Number(to.timelineId.slice(next.sessionId.length + 1));
    next.seq = to.seq;
    next.turnId = to.turnId;
    next.tokens = to.tokens;
    next.cost = to.cost;
    this.#setVariables(to.variables, variablesInterval);
    next.moves += 1;
    if (wrote !== undefined) {
      next.lifetimeTurns += wrote.turns;
      next.lifetimeTokens += wrote.tokens;
      next.lifetimeCost += wrote.cost;
    }
    this.#closeIfFull(cap);
  }

  #closeIfFull(cap: Append['cap']): void {
    if (cap === undefined || cap.onFull !== 'close' || this.#next.seq < cap.turns) return;
    this.#setStatus('closed', 'turn_limit');
    this.#journal('closed', fullData);
  }

  #setVariables(version: VariablesVersion | null, depth: number): void {
    this.#next.variablesTimeline = version?.timelineId ?? null;
    this.#next.variablesPosition = version?.position ?? 0;
    this.#next.variablesRevision = version?.revision ?? 0;
    this.#next.variablesDepth = depth;
  }

  #append(turns: readonly NewTurn[]): Refusal | null {
    const next = this.#next;
    const checkpoints = this.#commit.append?.checkpoints;
    const {
      marked,
      taken,
      turns: added,
      victims,
    } = appendTurns(this.#tx, next, turns, checkpoints);
    if (taken !== null) {
      const repeat = turns.length === 1 ? findRepeat(this.#tx, this.#before, turns) : null;
      if (repeat !== null) return repeat;
      const place = `session '${next.sessionId}'`;
      throw new SessionCorruptDataError(place, `the new turn id '${taken}' is taken`);
    }
    this.#answered = added;
    const variables = variablesOf(next);
    this.#marks = marked.map((turn) => ({ turn, createdAt: this.#tx.now, variables }));
    this.#dropCheckpoints(victims);
    this.#closeIfFull(this.#commit.append?.cap);
    return null;
  }

  /** Appends to a timeline out of sight: nothing of the session changes. */
  #stage(): null {
    const { timelineId: id, turns } = this.#commit.append as {
      timelineId: string;
      turns: readonly NewTurn[];
    };
    const end = this.#endOf(id);
    const staged: { seq: number; at: number }[] = [];
    for (const turn of turns) {
      end.seq += 1;
      end.tokens += turn.tokens;
      end.cost += turn.cost;
      const at = turn.at ?? this.#tx.now;
      if (!this.#tx.addTurn(this.#next, turnRow(id, end, turn, at, null, null))) {
        const place = `session '${this.#next.sessionId}'`;
        throw new SessionCorruptDataError(place, `the new turn id '${turn.turnId}' is taken`);
      }
      staged.push({ seq: end.seq, at });
    }
    this.#answered = staged;
    return null;
  }

  #endOf(id: string): { seq: number; tokens: number; cost: number } {
    const last = this.#tx.lastTurn(this.#next, id);
    if (last !== undefined) return { seq: last.seq, tokens: last.tokens, cost: last.cost };
    const base = this.#tx.timeline(this.#next, id)?.base;
    return { seq: base?.seq ?? 0, tokens: base?.tokens ?? 0, cost: base?.cost ?? 0 };
  }

  #patch(json: string): void {
    const next = this.#next;
    const patch = this.#commit.patch;
    if (patch === undefined) return;
    const alone = this.#commit.append === undefined && this.#commit.pointer === undefined;
    const at: VariablesVersion = {
      timelineId: timelineId(next.sessionId, next.timeline),
      position: next.seq * 2 + (alone ? 1 : 0),
      revision: next.revision,
    };
    const fresh = next.variablesTimeline !== at.timelineId;
    const depth = next.variablesDepth + 1;
    const whole = fresh || isWhole(json, depth);
    this.#tx.addVariables(next, { at, whole, value: whole ? json : patchText(patch) });
    this.#setVariables(at, whole ? 0 : depth);
    const last = this.#marks.at(-1);
    if (last?.turn.seq === next.seq) this.#marks.splice(-1, 1, { ...last, variables: at });
  }

  #here(): Point {
    const next = this.#next;
    return {
      timelineId: timelineId(next.sessionId, next.timeline),
      seq: next.seq,
      turnId: next.turnId,
      tokens: next.tokens,
      cost: next.cost,
      variables: variablesOf(next),
    };
  }

  #checkpoint({ label, max, metadata }: NewCheckpoint): void {
    const next = this.#next;
    const victims: string[] = [];
    const n = numberCheckpoint(this.#tx, next, max, victims);
    if (n === null) return;
    this.#dropCheckpoints(victims);
    const made = { automatic: false, label, metadata };
    const record = checkpointRecord(n, this.#here(), this.#tx.now, made);
    this.#tx.putRecord(next, record);
    this.#journal('checkpoint', checkpointData(n, next.seq, false));
    this.#checkpoints.push(record);
  }

  #dropCheckpoints(keys: readonly string[]): void {
    for (const key of keys) this.#tx.deleteRecord(this.#next, 'checkpoint', key);
  }

  #setStatus(to: SessionStatus, reason: string | null): void {
    this.#next.status = to;
    if (to !== 'closed' && to !== 'expired') return;
    this.#next.closedReason = reason;
    this.#write(this.#commit.onEnd ?? []);
  }

  #write(records: readonly RecordWrite[]): void {
    for (const write of records) {
      if (!('delete' in write) || write.kind !== 'checkpoint') continue;
      const mark = heldMark(this.#tx, this.#next, write.key);
      const record = this.#tx.record(this.#next, write.kind, write.key);
      if (mark !== undefined) this.#tx.clearMark(this.#next, mark.turn.checkpoint ?? 0);
      if (mark !== undefined || record !== undefined) this.#next.checkpointsHeld -= 1;
    }
    writeRecords(this.#tx, this.#next, records);
  }

  /** What the pointer did: a record for good, to which the entry of the feed refers by its number. */
  #reflog(move: string): void {
    const before = this.#before;
    const { timelineId: id, seq, turnId } = this.#here();
    const to = { timelineId: id, seq, turnId };
    const from = {
      timelineId: timelineId(before.sessionId, before.timeline),
      seq: before.seq,
      turnId: before.turnId,
    };
    const n = this.#next.moves;
    const key = String(n).padStart(12, '0');
    this.#write([{ kind: 'move', key, value: JSON.stringify({ move, from, to }) }]);
    this.#journal('move', moveData(n, move, to));
  }

  #journal(type: ChangeType, data: string | null): void {
    this.#tx.addJournal(this.#next, {
      revision: this.#next.revision,
      part: this.#parts++,
      type,
      at: this.#tx.now,
      data,
    });
  }
}
