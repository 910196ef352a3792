import { type Engine, type ServiceOptions, toEngine } from '../manager/engine.ts';
import { checkOptions } from '../session/options.ts';
import type { ProjectionFormat } from './formats.ts';
import { type ProjectOptions, parseProjectOptions, projectKeys } from './parse-options.ts';
import { projectSession } from './project-session.ts';
import type { Projection } from './projection.ts';

/** What models see of sessions. Throws as `SessionManager` does. */
export class SessionProjection {
  readonly #engine: Engine;

  constructor(over: ServiceOptions) {
    this.#engine = toEngine(over);
  }

  /**
   * What a model is shown of a session's current history; the log is never edited. As the pure `project`, with
   * the session's pins and summaries.
   *
   * @throws SessionLimitError if what has to stay is more than `maxTokens` or `maxTurns`
   */
  async project<F extends ProjectionFormat = 'session'>(
    sessionId: string,
    options?: ProjectOptions<F>,
  ): Promise<Projection<F>> {
    const parsed = parseProjectOptions(checkOptions(options, projectKeys));
    const row = await this.#engine.session(sessionId);
    return projectSession<F>(this.#engine, row, parsed, async () => ({
      pins: new Map(),
      summary: null,
    }));
  }
}
