import type { Commit, Committed, EraseResult } from '../store/port.ts';
import { fingerprint } from './fingerprint.ts';
import { loggedError, type SessionLogger } from './logger.ts';
import type { StoreObserver } from './observe-store.ts';
import { outcomeOf, type StoreCall } from './store-call.ts';

/** A line for each call of the store: what began or ended a session at `info`, what failed at `error`, else at `debug`. */
export function logCalls(logger: SessionLogger): StoreObserver {
  return { wanted: () => true, observe };

  async function observe(call: StoreCall, next: () => Promise<unknown>): Promise<unknown> {
    const start = performance.now();
    const fields = (): Record<string, unknown> => ({
      call: call.name,
      ...(call.sessionId === undefined ? {} : { session: fingerprint(call.sessionId) }),
      ms: Math.round((performance.now() - start) * 1000) / 1000,
    });
    let answer: unknown;
    try {
      answer = await next();
    } catch (error) {
      logger.error({ ...fields(), ...loggedError(error) }, 'session store failed');
      throw error;
    }
    const outcome = outcomeOf(call, answer);
    if (outcome === 'repeat') logger.debug(fields(), 'session call repeated');
    else if (outcome !== 'done') {
      const level = outcome === 'cap' ? 'info' : 'debug';
      logger[level]({ ...fields(), outcome, ...capOf(answer) }, 'session call refused');
    } else if (call.verb === 'create' || call.verb === 'commit') {
      const { session, turns } = answer as Committed;
      const written = { ...fields(), revision: session.revision, turns: turns.length };
      const message = endOrBeginning(call, session.status);
      if (message === null) logger.debug(written, 'session written');
      else logger.info(written, message);
    } else {
      const isEnd = call.verb === 'erase' && (answer as EraseResult).buried !== null;
      if (isEnd) logger.info(fields(), 'session deleted');
      else logger.debug(fields(), call.isRead ? 'session read' : 'session store cleaned');
    }
    return answer;
  }
}

function endOrBeginning({ args, name, verb }: StoreCall, status: string): string | null {
  if (verb === 'create') return name === 'fork' ? 'session forked' : 'session created';
  const { append, status: change } = args[1] as Commit;
  // A cap ends a session too; what is only kept beside an ended one ends nothing.
  const isEnd = change !== undefined || append !== undefined;
  return isEnd && (status === 'closed' || status === 'expired') ? `session ${status}` : null;
}

function capOf(answer: unknown): Readonly<Record<string, unknown>> {
  const { cap, max } = answer as { cap?: unknown; max?: unknown };
  return cap === undefined ? {} : { cap, max };
}
