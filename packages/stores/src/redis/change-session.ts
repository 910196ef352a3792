import { SessionStoreUnavailableError } from '@lexigram/ai-session';
import type { EraseResult, StoredSession } from '@lexigram/ai-session/store';
import type { RedisEngine } from './engine.ts';
import type { Keys } from './keys.ts';
import { newVersion, type State, versionMark, writeState } from './rows.ts';
import type { FlushSteps } from './steps.ts';

export const notFound: EraseResult = { found: false, done: true, parent: null, buried: null };

/** What is to become of a session as it stands: the answer, and what is written for it. */
export interface Plan {
  readonly result: EraseResult;
  /** The state afterwards; null writes nothing. */
  readonly row: StoredSession | null;
  readonly steps: FlushSteps;
}

/** Plans on a session as it is and writes if it still is, again and again until it was. */
export async function changeSession(
  engine: RedisEngine,
  keys: Keys,
  sessionId: string,
  until: number,
  plan: (state: State) => Promise<Plan>,
): Promise<EraseResult> {
  const doubts = new Map<number, EraseResult>();
  for (;;) {
    const { state } = await engine.ask(sessionId, [], until);
    if (state === undefined) return notFound;
    const told = doubts.get(state.version);
    if (told !== undefined) return told;
    const { result, row, steps } = await plan(state);
    if (row === null) return result;
    const version = newVersion();
    steps.check('version', '', '', versionMark(state.version));
    steps.step('SET', `${keys.base(sessionId)}s`, writeState(version, row));
    const outcome = await engine.send(sessionId, steps, until);
    if (outcome === 'done') return result;
    // What was sent and never answered.
    if (typeof outcome !== 'string') doubts.set(version, result);
    // What was erased stays erased: the same again goes on from there.
    if (performance.now() > until) {
      throw new SessionStoreUnavailableError('locked', `session '${sessionId}' was busy`);
    }
  }
}
