import type { FailureReport } from '../cleanup/report-failure.ts';
import type { FaultReport } from '../events/listeners.ts';
import type { SessionStore } from '../store/port.ts';
import { fingerprint } from './fingerprint.ts';
import { logCalls } from './log-calls.ts';
import { guardLogger, loggedError, type SessionLogger, silentLogger } from './logger.ts';
import { observeStore } from './observe-store.ts';
import { openTelemetry, parseTelemetry, type Telemetry } from './open-telemetry.ts';

/** Who watches, as it was given. */
interface WatchInput {
  readonly logger: SessionLogger;
  readonly telemetry: Telemetry;
}

/** Log, traces and measurements, ready to watch a store. Without any of them the store is watched by nobody. */
interface Watch {
  readonly observe: (store: SessionStore) => SessionStore;
  /** For what fails where no caller waits; undefined without a logger. */
  readonly onFault: FaultReport | undefined;
  readonly onFailure: FailureReport | undefined;
}

/** @throws SessionInputError */
export function parseWatch(given: Readonly<Record<string, unknown>>, path: string): WatchInput {
  return {
    logger: guardLogger(given.logger, `${path}.logger`),
    telemetry: parseTelemetry(given.telemetry, `${path}.telemetry`),
  };
}

/** Loads OpenTelemetry if it is there and wanted. */
export async function openWatch({ logger, telemetry }: WatchInput): Promise<Watch> {
  const traces = await openTelemetry(telemetry);
  const isLogged = logger !== silentLogger;
  const observers = [...(isLogged ? [logCalls(logger)] : []), ...(traces === null ? [] : [traces])];
  return {
    observe: (store) => observeStore(store, observers),
    onFault: isLogged
      ? ({ error, reason }) =>
          logger.error({ listener: reason, ...loggedError(error) }, 'session listener failed')
      : undefined,
    onFailure: isLogged
      ? ({ error, sessionId, task }) => {
          const session = sessionId === null ? {} : { session: fingerprint(sessionId) };
          logger.error(
            { task, ...session, ...loggedError(error) },
            'session background task failed',
          );
        }
      : undefined,
  };
}
