import { CheckpointNotFoundError } from '../errors.ts';
import {
  type Engine,
  type OperationOptions,
  type ServiceOptions,
  toEngine,
} from '../manager/engine.ts';
import { move } from '../manager/moves.ts';
import { refusalError } from '../manager/refusal-error.ts';
import { checkPrintable, checkSessionId, idText, parseCheckpointId } from '../session/ids.ts';
import { equalJson } from '../session/json.ts';
import { checkOptions } from '../session/options.ts';
import { type Page, type PageOptions, parseCursor, parseLimit, toCursor } from '../session/page.ts';
import { parseMetadata } from '../session/parse-patch.ts';
import type { AnySession, SessionState, SessionTypes } from '../session/state.ts';
import { SessionStateMachine } from '../session/state-machine.ts';
import { checkpointKey, readCheckpointValue } from '../store/checkpoints.ts';
import type { Committed, OperationKey, Refusal } from '../store/port.ts';
import type { Point, RecordRow } from '../store/rows.ts';
import { History } from '../timeline/history.ts';
import { readCheckpoint, type SessionCheckpoint } from './checkpoint.ts';
import { diffPoints, type HistoryDiff } from './diff.ts';

/** Options of a checkpoint made by hand. */
export interface CheckpointOptions extends OperationOptions {
  /** Unique among the session's checkpoints; the same label at the same point is the same checkpoint. */
  readonly label?: string | undefined;
  readonly metadata?: object | undefined;
}

type LabelTaken = Extract<Refusal, { refused: 'label' }>;

interface Found {
  readonly sessionId: string;
  readonly record: RecordRow;
}

/** Immutable named points of sessions. Throws as `SessionManager` does. */
export class CheckpointManager<T extends SessionTypes = AnySession> {
  readonly #engine: Engine;

  constructor(over: ServiceOptions) {
    this.#engine = toEngine(over);
  }

  /**
   * Makes a checkpoint of where the session stands, with its variables. Past the cap the oldest automatic one
   * goes, then the oldest without a label.
   *
   * @throws SessionConflictError with reason `label` if the label stands at another point;
   * SessionCapacityError if the cap is reached and all are labelled
   */
  async create(sessionId: string, options?: CheckpointOptions): Promise<SessionCheckpoint> {
    checkSessionId(sessionId);
    const given = checkOptions(options, ['label', 'metadata', 'operationId']);
    const label = given.label === undefined ? null : checkPrintable(given.label, 'label', 'label');
    const metadata = given.metadata === undefined ? null : parseMetadata(given.metadata);
    const operation = this.#engine.operation(given, 'checkpoint', label, metadata);
    const result = await this.#engine.try(sessionId, {
      guards: { status: SessionStateMachine.allowed.checkpoint },
      checkpoint: { label, metadata, max: this.#engine.config.maxCheckpointsPerSession },
      event: { type: 'checkpoint' },
      expiry: this.#engine.expiry,
      ...(operation === undefined ? {} : { operation }),
    });
    if (result.refused === 'label' && (await this.#standsAtHead(result))) {
      return readCheckpoint(sessionId, result.record);
    }
    if (result.refused !== undefined) throw refusalError(sessionId, result, 'active');
    return readCheckpoint(sessionId, result.checkpoints.at(-1) as RecordRow);
  }

  /** Whether a checkpoint is where the session stands: the same turn, reached by whichever moves, and the same variables. */
  async #standsAtHead({ record, session }: LabelTaken): Promise<boolean> {
    const { point } = readCheckpointValue(record);
    if (point.seq !== session.head.seq || point.turnId !== session.head.turnId) return false;
    // A merged copy has the id of the turn that it is a copy of.
    const [marked, current] = await Promise.all(
      [point, session.head].map(async (place) => {
        const history = await History.open(this.#engine.store, place);
        return (await history?.segments(place.seq, place.seq))?.[0]?.timelineId;
      }),
    );
    if (marked !== current) return false;
    // A branch has a version of its own of what it started with: what they hold is what counts.
    const [there, here] = await Promise.all(
      [point.variables, session.variables].map((at) =>
        at === null ? null : this.#engine.store.variables(at),
      ),
    );
    return equalJson(JSON.parse(there?.json ?? '{}'), JSON.parse(here?.json ?? '{}'));
  }

  /** @throws CheckpointNotFoundError */
  async get(checkpointId: string): Promise<SessionCheckpoint> {
    const { record, sessionId } = await this.#find(checkpointId);
    return readCheckpoint(sessionId, record);
  }

  /** What an operation on a checkpoint was answered before, also if the checkpoint is gone since. */
  async #recall(
    checkpointId: string,
    operation: OperationKey | undefined,
  ): Promise<Committed | null> {
    const parts = parseCheckpointId(checkpointId);
    if (parts === null || operation === undefined) return null;
    const session = await this.#engine.store.session(parts.sessionId, this.#engine.owner);
    return session === null ? null : this.#engine.recall(parts.sessionId, operation);
  }

  async #find(checkpointId: string): Promise<Found> {
    const parts = parseCheckpointId(checkpointId);
    if (parts !== null) {
      const { n, sessionId } = parts;
      const [session, record] = await Promise.all([
        this.#engine.store.session(sessionId, this.#engine.owner),
        this.#engine.store.record(sessionId, 'checkpoint', checkpointKey(n)),
      ]);
      if (session !== null && record !== null) return { sessionId, record };
    }
    throw new CheckpointNotFoundError(idText(checkpointId));
  }

  /** A session's checkpoints, oldest first. */
  async list(sessionId: string, options?: PageOptions): Promise<Page<SessionCheckpoint>> {
    checkSessionId(sessionId);
    const given = checkOptions(options, ['limit', 'cursor']);
    const limit = parseLimit(given.limit);
    const after = parseCursor(given.cursor, `checkpoints of ${sessionId}`, ['key']);
    await this.#engine.session(sessionId);
    const records = await this.#engine.store.records(sessionId, 'checkpoint', {
      limit: limit + 1,
      ...(after === undefined ? {} : { after: after[0] }),
    });
    const items = records.slice(0, limit).map((record) => readCheckpoint(sessionId, record));
    const last = records.length > limit ? records[limit - 1] : undefined;
    return Object.freeze({
      items: Object.freeze(items),
      nextCursor: last === undefined ? null : toCursor(`checkpoints of ${sessionId}`, last.key),
    });
  }

  /**
   * Moves the session to the checkpoint: its turns and its variables. What came after it stays on the timeline
   * that is left, and `undo` goes back there.
   *
   * @throws CheckpointNotFoundError
   */
  async restore(checkpointId: string, options?: OperationOptions): Promise<SessionState<T>> {
    const given = checkOptions(options, ['operationId']);
    const engine = this.#engine;
    const operation = engine.operation(given, 'restore', idText(checkpointId));
    const before = await this.#recall(checkpointId, operation);
    if (before !== null) return engine.stateAfter<T>(before);
    const { record, sessionId } = await this.#find(checkpointId);
    const { point } = readCheckpointValue(record);
    const made = await move(engine, sessionId, 'restore', operation, async (history) => {
      const [from] = await history.load([point.timelineId]);
      if (!from) throw new CheckpointNotFoundError(checkpointId);
      return { point, from };
    });
    return engine.stateAfter<T>(made);
  }

  /** Removes a checkpoint; its turns stay. @throws CheckpointNotFoundError */
  async delete(checkpointId: string, options?: OperationOptions): Promise<void> {
    const given = checkOptions(options, ['operationId']);
    const engine = this.#engine;
    const operation = engine.operation(given, 'deleteCheckpoint', idText(checkpointId));
    if ((await this.#recall(checkpointId, operation)) !== null) return;
    let found: Found;
    try {
      found = await this.#find(checkpointId);
    } catch (error) {
      // The same operation may have been done in between.
      if ((await this.#recall(checkpointId, operation)) !== null) return;
      throw error;
    }
    const { record, sessionId } = found;
    const { key, kind } = record;
    const result = await engine.try(sessionId, {
      guards: {
        status: SessionStateMachine.allowed.checkpoint,
        records: [{ kind, key, version: record.version }],
      },
      records: [{ kind, key, delete: true }],
      event: { type: 'checkpoint_deleted', data: JSON.stringify({ n: Number(key) }) },
      expiry: engine.expiry,
      ...(operation === undefined ? {} : { operation }),
    });
    if (result.refused === undefined) return;
    const gone = result.refused === 'expected' && result.what === 'record';
    throw gone
      ? new CheckpointNotFoundError(checkpointId)
      : refusalError(sessionId, result, 'active');
  }

  /** What two checkpoints of one family have in common and what only one has. */
  async diff(a: string, b: string): Promise<HistoryDiff> {
    const [one, other] = [await this.#find(a), await this.#find(b)];
    const [from, to] = [one, other].map(({ record }) => readCheckpointValue(record).point) as [
      Point,
      Point,
    ];
    return diffPoints(this.#engine, from, to);
  }
}
