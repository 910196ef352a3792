import {
  type Engine,
  type OperationOptions,
  type ServiceOptions,
  toEngine,
} from '../manager/engine.ts';
import { checkSessionId, idText } from '../session/ids.ts';
import { checkOptions } from '../session/options.ts';
import { type AutoCompaction, autoCompact, parseAutoCompaction } from './auto-compact.ts';
import { compactTogether } from './compact-together.ts';
import type { ProjectionFormat } from './formats.ts';
import type { HistoryReader } from './history-reader.ts';
import { findOverlay, type Overlay } from './overlay.ts';
import { type CompactOptions, compactKeys, parseCompaction } from './parse-compaction.ts';
import { type ProjectOptions, parseProjectOptions, projectKeys } from './parse-options.ts';
import { pinTurn, readPins, unpinTurn } from './pins.ts';
import { projectSession, type SessionKept } from './project-session.ts';
import type { Projection } from './projection.ts';

/** Options of a session's projection. */
export interface ProjectSessionOptions<F extends ProjectionFormat = 'session'>
  extends ProjectOptions<F> {
  /** Sums up the oldest turns first, when what is not summed up yet has grown past a number of tokens. */
  readonly compact?: AutoCompaction | undefined;
}

/** What models see of sessions. Throws as `SessionManager` does. */
export class SessionProjection {
  readonly #engine: Engine;

  constructor(over: ServiceOptions) {
    this.#engine = toEngine(over);
  }

  /**
   * What a model is shown of a session's current history; the log is never edited. As the pure `project`, with
   * the session's pins and its newest summary.
   *
   * @throws SessionLimitError if what has to stay is more than `maxTokens` or `maxTurns`
   */
  async project<F extends ProjectionFormat = 'session'>(
    sessionId: string,
    options?: ProjectSessionOptions<F>,
  ): Promise<Projection<F>> {
    const given = checkOptions(options, [...projectKeys, 'compact']);
    const parsed = parseProjectOptions(given);
    const compaction = parseAutoCompaction(given.compact, parsed.countTokens);
    const engine = this.#engine;
    const row = await engine.session(sessionId);
    if (compaction !== null) await autoCompact(engine, row, compaction);
    const readKept = async ({ history }: HistoryReader): Promise<SessionKept> => {
      const pins = await readPins(engine, sessionId, history);
      const overlay = await findOverlay(engine.store, row, history, parsed.viewer);
      const summary = overlay === null ? null : { text: overlay.summary, toSeq: overlay.toSeq };
      return { pins, summary };
    };
    return projectSession<F>(engine, row, parsed, readKept);
  }

  /**
   * Stores a summary of the oldest turns, which projections show in their place; the turns themselves stay, and a
   * move to before its end does without it. Without `upTo`, the newest 20 turns are not summed up. Of several calls
   * at once in one process all are answered with the one summary that is made.
   *
   * @returns the newest summary; null if there is none and nothing to sum up
   * @throws SessionLeaseError if another process is at it; what the summariser throws
   */
  async compact(sessionId: string, options?: CompactOptions): Promise<Overlay | null> {
    const given = checkOptions(options, [...compactKeys, 'operationId']);
    const parsed = parseCompaction(given);
    checkSessionId(sessionId);
    const request = ['compact', sessionId, given.upTo, given.keepLast, given.maxTokens];
    const operation = this.#engine.operation(given, ...request);
    const row = await this.#engine.session(sessionId);
    return compactTogether(this.#engine, row, { ...parsed, operation });
  }

  /** Makes a turn of the current history stay in every projection. @throws SessionLimitError past 100 pins */
  async pin(sessionId: string, turnId: string, options?: OperationOptions): Promise<void> {
    const given = checkOptions(options, ['operationId']);
    checkSessionId(sessionId);
    const operation = this.#engine.operation(given, 'pin', sessionId, idText(turnId));
    await pinTurn(this.#engine, sessionId, turnId, operation);
  }

  /** Lets a turn go again; one that is not pinned stays as it is. */
  async unpin(sessionId: string, turnId: string, options?: OperationOptions): Promise<void> {
    const given = checkOptions(options, ['operationId']);
    checkSessionId(sessionId);
    const operation = this.#engine.operation(given, 'unpin', sessionId, idText(turnId));
    await unpinTurn(this.#engine, sessionId, turnId, operation);
  }
}
