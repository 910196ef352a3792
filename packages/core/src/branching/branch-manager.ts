import { CheckpointNotFoundError, SessionCapacityError, SessionInputError } from '../errors.ts';
import { createWithId, recallCreation } from '../manager/create.ts';
import {
  type Engine,
  type OperationOptions,
  type ServiceOptions,
  toEngine,
} from '../manager/engine.ts';
import { type Destination, findTurn, openHistory, physical, pointAt } from '../manager/moves.ts';
import {
  checkName,
  checkSessionId,
  idText,
  parseCheckpointId,
  timelineId,
} from '../session/ids.ts';
import { checkOptions } from '../session/options.ts';
import { type Page, type PageOptions, parseCursor, parseLimit, toCursor } from '../session/page.ts';
import { parseCount } from '../session/parse-head.ts';
import type { AnySession, SessionState, SessionTypes } from '../session/state.ts';
import { checkpointKey, readCheckpointValue } from '../store/checkpoints.ts';
import type { NewSession } from '../store/port.ts';
import type { NewTimeline, Point, RecordRow, SessionRow } from '../store/rows.ts';
import { openTimeline } from '../timeline/lineage.ts';
import { allRecords } from './delete.ts';
import { type HoldRequest, holdFor, keepHolds } from './hold.ts';
import { foreignReach } from './reach.ts';

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
    const { from, point } = await this.#place(row, { seq, atTurn, fromCheckpoint });
    const { maxTurnsPerSession } = engine.config;
    if (point.seq >= maxTurnsPerSession) {
      throw new SessionCapacityError(
        `a branch at seq ${point.seq} has reached the turn limit (${maxTurnsPerSession})`,
        'maxTurnsPerSession',
        maxTurnsPerSession,
      );
    }
    const variables = await this.#variablesAt(point);
    const base = physical(from, point);
    const load = (ids: readonly string[]) => engine.store.timelines(ids);
    const session = (
      branchId: string,
      timeline: NewTimeline,
      held: readonly string[],
    ): NewSession => ({
      sessionId: branchId,
      owner: row.owner,
      timeline,
      parent: { sessionId, branchName: name, forkSeq: point.seq },
      metadata: row.metadata,
      variables,
      turns: [],
      records: held.map((key) => ({ kind: 'held', key, value: '' })),
      expiry: engine.expiry,
      ownerCap: null,
      ...(operation === undefined ? {} : { operation }),
    });
    const holds = new Map<string, HoldRequest>();
    const make = async (branchId: string): Promise<NewSession> => {
      const id = timelineId(branchId, 1);
      const timeline = await openTimeline(load, id, from, { ...base, variables: null });
      const reach = await foreignReach(load, branchId, timeline);
      if ((await engine.store.session(branchId)) === null) {
        const hold = { parentId: sessionId, reach };
        await holdFor(engine, branchId, hold);
        holds.set(branchId, hold);
      }
      const others = [...reach.keys()].filter((id) => id !== sessionId);
      return session(branchId, timeline, others);
    };
    const made = await createWithId(engine, undefined, row.owner, operation, sessionId, make);
    const hold = holds.get(made.session.sessionId);
    if (hold !== undefined) await keepHolds(engine, made.session, hold);
    return engine.stateAfter<T>(made);
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

  async #variablesAt(point: Point): Promise<string | null> {
    if (point.variables === null) return null;
    const found = await this.#engine.store.variables(point.variables);
    return found === null || found.json === '{}' ? null : found.json;
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
}
