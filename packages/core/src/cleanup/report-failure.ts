import { isSessionError } from '../errors.ts';

/** Something that failed in the background, where nobody waits for an answer. */
export interface BackgroundFailure {
  readonly task: 'sweep' | 'consolidation';
  /** The session that it was about, if it was about one. */
  readonly sessionId: string | null;
  readonly error: unknown;
}

/** Takes what failed in the background. Must not throw; what it throws is dropped. */
export type FailureReport = (failure: BackgroundFailure) => void;

/** Where failures go if nobody takes them: a warning of the process, without a word of what was said in a session. */
export const warnOfFailure: FailureReport = ({ error, sessionId, task }) => {
  const what = isSessionError(error) ? `${error.name} ${error.code}` : nameOf(error);
  const where = sessionId === null ? '' : ` for session '${sessionId.slice(0, 6)}…'`;
  process.emitWarning(`The ${task} failed${where}: ${what}`, 'SessionBackgroundWarning');
};

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : `a value of type ${typeof error}`;
}
