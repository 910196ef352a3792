import { SessionLeaseError } from '../errors.ts';
import type { Engine } from '../manager/engine.ts';
import { refusalError } from '../manager/refusal-error.ts';
import { timelineId } from '../session/ids.ts';
import { limits } from '../session/limits.ts';
import { SessionStateMachine } from '../session/state-machine.ts';
import type { Commit, NewTurn, RecordGuard } from '../store/port.ts';
import type { MergedPoint, NewTimeline, Point, SessionRow, TimelineRow } from '../store/rows.ts';
import { openTimeline } from '../timeline/lineage.ts';
import { eraseBatch, stagedKind, stagedRecord } from './staged.ts';

/** How long a merge may take from one batch to the next before the sweep erases what it staged. */
const leaseMs = 60_000;
/** Characters of a batch's bodies. */
const batchLength = 1_048_576;
/** How often a number of a timeline that others take at the same time is asked for anew. */
const attempts = 8;

/** What of the turns that a merge brings was first written by it. */
type Sums = { readonly turns: number; readonly tokens: number; readonly cost: number };

/**
 * The turns that a merge brings. Few of them wait here for the commit that swings the pointer; more go to a timeline
 * out of sight, a batch at a time, under a lease: the record that the sweep finds when nobody renews it.
 */
export class Staging {
  readonly #engine: Engine;
  readonly #row: SessionRow;
  readonly #from: TimelineRow;
  #waiting: NewTurn[] = [];
  #length = 0;
  #staged: { readonly timeline: NewTimeline; readonly guard: RecordGuard } | null = null;
  #count = 0;
  #tokens = 0;
  #cost = 0;
  #last: string | null = null;
  #wrote: Sums = { turns: 0, tokens: 0, cost: 0 };
  readonly #standing: number[] = [];

  /** @param from the parent's current timeline, on which the staged one is based until the pointer swings */
  constructor(engine: Engine, row: SessionRow, from: TimelineRow) {
    this.#engine = engine;
    this.#row = row;
    this.#from = from;
  }

  get count(): number {
    return this.#count;
  }

  /** The turns that are new, of those that stand for others. */
  get standing(): readonly number[] {
    return this.#standing;
  }

  /** @param stands whether it is a new turn that stands for others */
  async add(turn: NewTurn, stands: boolean): Promise<void> {
    if (this.#isFull) await this.#flush();
    this.#waiting.push(turn);
    this.#length += turn.body.length;
    this.#count += 1;
    this.#tokens += turn.tokens;
    this.#cost += turn.cost;
    this.#last = turn.turnId;
    if (stands) this.#standing.push(this.#count);
    if (turn.origin !== undefined) return;
    const { cost, tokens, turns } = this.#wrote;
    this.#wrote = { turns: turns + 1, tokens: tokens + turn.tokens, cost: cost + turn.cost };
  }

  get #isFull(): boolean {
    return this.#waiting.length >= limits.batchTurns || this.#length >= batchLength;
  }

  async #flush(): Promise<void> {
    const turns = this.#waiting;
    if (this.#staged === null) {
      await this.#begin(turns);
    } else {
      const { guard, timeline } = this.#staged;
      const id = timeline.timelineId;
      const result = await this.#engine.try(this.#row.sessionId, {
        guards: { status: SessionStateMachine.allowed.write, records: [guard] },
        append: { timelineId: id, turns },
        records: [{ ...stagedRecord(id, leaseMs), sameVersion: true }],
      });
      if (result.refused === 'expected') throw leaseError(this.#row.sessionId);
      if (result.refused !== undefined) {
        throw refusalError(this.#row.sessionId, result, 'active');
      }
    }
    this.#waiting = [];
    this.#length = 0;
  }

  async #begin(turns: readonly NewTurn[]): Promise<void> {
    const { sessionId } = this.#row;
    let number = this.#row.timelines + 1;
    for (let attempt = 1; ; attempt++) {
      const id = timelineId(sessionId, number);
      const timeline = await this.#open(id, this.#row, this.#from);
      const record = stagedRecord(id, leaseMs);
      const result = await this.#engine.try(sessionId, {
        guards: { status: SessionStateMachine.allowed.write },
        timeline,
        append: { timelineId: id, turns },
        records: [record],
      });
      if (result.refused === undefined) {
        this.#staged = { timeline, guard: { kind: stagedKind, key: record.key, version: 1 } };
        return;
      }
      const raced = result.refused === 'expected' && result.what === 'timeline';
      if (!raced || attempt === attempts) throw refusalError(sessionId, result, 'active');
      number = result.session.timelines + 1;
    }
  }

  #open(id: string, row: SessionRow, from: TimelineRow): Promise<NewTimeline> {
    const load = (ids: readonly string[]) => this.#engine.store.timelines(ids);
    return openTimeline(load, id, from, headOf(row));
  }

  /**
   * What brings the turns behind the parent's head and swings the pointer to their end: the turns themselves, or what
   * was staged, on another base if the parent has more turns by now.
   */
  async swing(
    row: SessionRow,
    from: TimelineRow,
    taken: MergedPoint,
  ): Promise<Pick<Commit, 'timeline' | 'rebase' | 'append' | 'pointer' | 'records' | 'guards'>> {
    if (this.#staged !== null && this.#waiting.length > 0) await this.#flush();
    const staged = this.#staged;
    const id = staged?.timeline.timelineId ?? timelineId(row.sessionId, row.timelines + 1);
    const opened = await this.#open(id, row, from);
    const before = (opened.merged ?? []).filter(({ sessionId }) => sessionId !== taken.sessionId);
    const timeline = { ...opened, merged: [...before, taken] };
    const head = headOf(row);
    const to: Point = {
      timelineId: id,
      seq: head.seq + this.#count,
      turnId: this.#last ?? head.turnId,
      tokens: head.tokens + this.#tokens,
      cost: head.cost + this.#cost,
      variables: head.variables,
    };
    const pointer = { move: 'merge', to, wrote: this.#wrote } as const;
    if (staged === null) {
      const append = { timelineId: id, turns: this.#waiting };
      return { timeline, pointer, ...(this.#count === 0 ? {} : { append }) };
    }
    const { key, kind } = staged.guard;
    return {
      rebase: timeline,
      pointer,
      records: [{ kind, key, delete: true }],
      guards: { records: [staged.guard] },
    };
  }

  /** Erases what was staged: it is not going to be used. What cannot be erased now is left to the sweep. */
  async discard(): Promise<void> {
    const staged = this.#staged;
    this.#staged = null;
    if (staged === null) return;
    const { guard, timeline } = staged;
    const request = { staged: { timelineId: timeline.timelineId, guard }, limit: eraseBatch };
    try {
      for (let left = true; left; ) {
        const { done, found } = await this.#engine.erase(this.#row.sessionId, request);
        left = found && !done;
      }
    } catch {
      // The merge has an error of its own to tell.
    }
  }
}

/** Where a session stands, as a point. */
export function headOf({ cost, head, tokens, variables }: SessionRow): Point {
  return { ...head, tokens, cost, variables };
}

/** What a merge staged was erased before it was done. */
export function leaseError(sessionId: string): SessionLeaseError {
  return new SessionLeaseError(
    `The merge into session '${sessionId}' took longer than its lease of ${leaseMs / 1000} s from one batch to the next, and what it had staged was erased; try again`,
  );
}
