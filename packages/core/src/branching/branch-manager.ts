import { diffPoints, type HistoryDiff } from '../checkpointing/diff.ts';
import { CheckpointNotFoundError, SessionInputError } from '../errors.ts';
import { recallCreation } from '../manager/create.ts';
import {
  type Engine,
  type OperationOptions,
  type ServiceOptions,
  toEngine,
} from '../manager/engine.ts';
import { type Destination, findTurn, openHistory, pointAt } from '../manager/moves.ts';
import { checkName, checkSessionId, idText, parseCheckpointId } from '../session/ids.ts';
import { checkOptions } from '../session/options.ts';
import { type Page, type PageOptions, parseCursor, parseLimit, toCursor } from '../session/page.ts';
import { parseCount } from '../session/parse-head.ts';
import type { AnySession, SessionState, SessionTypes } from '../session/state.ts';
import { checkpointKey, readCheckpointValue } from '../store/checkpoints.ts';
import type { RecordRow, SessionRow } from '../store/rows.ts';
import { allRecords } from './delete.ts';
import { makeBranch } from './make-branch.ts';
import { type Merged, type MergeOptions, mergeBranch } from './merge.ts';
import { headOf } from './staging.ts';
import { readTree, type TreeItem } from './tree.ts';
import { whileAllThere } from './while-all-there.ts';

/** Where a branch starts; without a place at the head, with the variables as they are now. */
export interface ForkOptions extends OperationOptions {
  readonly fromCheckpoint?: string | undefined;
  readonly atTurn?: string | undefined;
  /** 0 starts with an empty history. */
  readonly atSeq?: number | undefined;
}

/** Branches: sessions that start at a point of another session's history. Throws as `SessionManager` does. */
export class BranchManager<T extends SessionTypes = AnySession> {
  readonly #engine: Engine;

  constructor(over: ServiceOptions) {
    this.#engine = toEngine(over);
  }

  /**
   * Makes a branch: a session of its own with the history up to a point. Nothing is copied but the metadata and
   * the variables there. Sessions that have ended can be forked too. Names may repeat.
   *
   * @returns the branch's state
   * @throws SessionCapacityError past the cap of branches, or at a point at or past the cap of turns;
   * CheckpointNotFoundError
   */
  async fork(
    sessionId: string,
    branchName: string,
    options?: ForkOptions,
  ): Promise<SessionState<T>> {
    const engine = this.#engine;
    checkSessionId(sessionId);
    const name = checkName(branchName, 'branchName');
    const given = checkOptions(options, ['fromCheckpoint', 'atTurn', 'atSeq', 'operationId']);
    const { atSeq, atTurn, fromCheckpoint } = given;
    const places = [atSeq, atTurn, fromCheckpoint].filter((place) => place !== undefined);
    if (places.length > 1) {
      throw new SessionInputError('options', "give one of 'fromCheckpoint', 'atTurn' and 'atSeq'");
    }
    const seq = parseCount(atSeq, 'atSeq');
    if (atTurn !== undefined) checkName(atTurn, 'atTurn');
    const request = ['fork', sessionId, name, seq, atTurn, idText(fromCheckpoint)];
    const operation = engine.operation(given, ...request);
    const row = await engine.session(sessionId);
    const before = await recallCreation(engine, row.owner, operation, sessionId);
    if (before !== null) return engine.stateAfter<T>(before);
    const place = { seq, atTurn, fromCheckpoint };
    const { from, point } = await engine.whileThere(sessionId, () => this.#place(row, place));
    const parent = { sessionId, branchName: name, forkSeq: point.seq };
    const owned = { owner: row.owner, ownerCap: null, parent, operation };
    return engine.stateAfter<T>(await makeBranch(engine, row, { from, point }, owned));
  }

  async #place(
    row: SessionRow,
    place: {
      readonly seq?: number | undefined;
      readonly atTurn?: unknown;
      readonly fromCheckpoint?: unknown;
    },
  ): Promise<Destination> {
    const history = await openHistory(this.#engine, row);
    if (place.fromCheckpoint !== undefined) {
      const parts = parseCheckpointId(place.fromCheckpoint);
      const record =
        parts?.sessionId === row.sessionId
          ? await this.#engine.store.record(row.sessionId, 'checkpoint', checkpointKey(parts.n))
          : null;
      if (record === null) throw new CheckpointNotFoundError(idText(place.fromCheckpoint));
      const { point } = readCheckpointValue(record);
      const [from] = await history.load([point.timelineId]);
      if (!from) throw new CheckpointNotFoundError(idText(place.fromCheckpoint));
      return { point, from };
    }
    if (place.atTurn !== undefined) {
      const named = await findTurn(this.#engine, history, place.atTurn, 'atTurn');
      return pointAt(named.history, named.turn.seq, 'atTurn');
    }
    if (place.seq !== undefined) return pointAt(history, place.seq, 'atSeq');
    const { cost, head, tokens, variables } = row;
    return { point: { ...head, tokens, cost, variables }, from: history.timeline };
  }

  /**
   * Brings what a branch has and its parent has not behind the parent's turns, as copies that keep their ids and tell
   * their origin, and merges the variables. One move, atomic at any size: nothing of it is seen before all of it is,
   * and undo takes it back. The branch stays as it is, in whatever status it is. What was brought before does not come
   * again; a merge that brings nothing changes nothing. Any two sessions of a family can be merged.
   *
   * @throws SessionInputError for a session and itself, and for two without a common point; SessionConflictError with
   * reason `head` if the parent is not at `expectedHead`, or without it if others changed it during each of three
   * tries, with reason `variables` if both sides changed one and `onConflict` is `error`; SessionCapacityError past
   * the parent's cap of turns; SessionLeaseError if the strategy took so long that the sweep erased what was staged
   */
  async merge(parentId: string, branchId: string, options?: MergeOptions): Promise<Merged<T>> {
    return whileAllThere(this.#engine, [parentId, branchId], false, () =>
      mergeBranch<T>(this.#engine, parentId, branchId, options),
    );
  }

  /**
   * What the histories of two sessions have in common and what only one of them has, as they are now. Its cost follows
   * what differs, not how long they are.
   */
  async diff(a: string, b: string): Promise<HistoryDiff> {
    checkSessionId(a, 'a');
    checkSessionId(b, 'b');
    return whileAllThere(this.#engine, [a, b], true, async () => {
      const [from, to] = [await this.#engine.session(a), await this.#engine.session(b)];
      return diffPoints(this.#engine, headOf(from), headOf(to));
    });
  }

  /** A session's living direct branches, oldest first. */
  async list(sessionId: string, options?: PageOptions): Promise<Page<SessionState<T>>> {
    checkSessionId(sessionId);
    const given = checkOptions(options, ['limit', 'cursor']);
    const limit = parseLimit(given.limit);
    const after = parseCursor(given.cursor, `branches of ${sessionId}`, ['time', 'sessionId']);
    await this.#engine.session(sessionId);
    // A cap bounds the branches, so that all of their records can be put in order.
    const records = [...(await allRecords(this.#engine.store, sessionId, 'branch'))].sort(
      (a, b) => a.createdAt - b.createdAt || (a.key < b.key ? -1 : 1),
    );
    const start =
      after === undefined
        ? 0
        : records.findIndex(
            ({ createdAt, key }) =>
              createdAt > after[0] || (createdAt === after[0] && key > after[1]),
          );
    const items: SessionState<T>[] = [];
    let at = start === -1 ? records.length : start;
    for (; at < records.length && items.length < limit; at++) {
      const { key } = records[at] as RecordRow;
      const branch = await this.#engine.store.session(key, this.#engine.owner);
      if (branch !== null) items.push(await this.#engine.state<T>(branch));
    }
    const last = at < records.length ? records[at - 1] : undefined;
    return Object.freeze({
      items: Object.freeze(items),
      nextCursor:
        last === undefined ? null : toCursor(`branches of ${sessionId}`, last.createdAt, last.key),
    });
  }

  /**
   * The whole family of a session, whichever is named: sessions, timelines with their points and ends, checkpoints
   * with their labels. A deleted parent of which others still read turns is a node without a name.
   *
   * @throws SessionConflictError if the session at which the page before ended is gone
   */
  async tree(sessionId: string, options?: PageOptions): Promise<Page<TreeItem>> {
    return whileAllThere(this.#engine, [sessionId], true, () =>
      readTree(this.#engine, sessionId, options),
    );
  }
}
