import type { Engine } from '../manager/engine.ts';
import type { GroupResult } from './group-event.ts';
import type { RunState } from './run-state.ts';

/** What a run came to that is not running, with the session as it is now. */
export async function resultOf(
  engine: Engine,
  sessionId: string,
  run: RunState,
  error: unknown = undefined,
): Promise<GroupResult> {
  return Object.freeze({
    runId: run.runId,
    reason: run.reason ?? 'complete',
    detail: run.detail,
    state: await engine.state(await engine.session(sessionId)),
    steps: run.last?.step ?? 0,
    rounds: run.last === null ? 0 : run.round,
    question: run.question,
    ...(error === undefined ? {} : { error }),
  });
}
