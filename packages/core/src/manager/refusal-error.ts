import {
  SessionCapacityError,
  SessionClosedError,
  SessionConflictError,
  type SessionError,
  SessionExpiredError,
  SessionLimitError,
  SessionNotFoundError,
  SessionTransitionError,
} from '../errors.ts';
import { toUsd } from '../session/money.ts';
import type { Refusal } from '../store/port.ts';
import type { SessionHead } from '../store/rows.ts';

/** The error that a store's refusal stands for. `wanted` is the status that the call asked for. */
export function refusalError(sessionId: string, refusal: Refusal, wanted: string): SessionError {
  switch (refusal.refused) {
    case 'unknown':
      return new SessionNotFoundError(sessionId);
    case 'exists':
      return new SessionConflictError(
        'session',
        sessionId,
        'a session with this id exists or existed; choose another id',
      );
    case 'operation':
      return conflict(
        'operation',
        refusal.session,
        'the operation id was used for another request; use a new one',
      );
    case 'repeat':
      return conflict(
        'turn',
        refusal.session,
        `the turn id '${refusal.turns.find((turn) => turn !== null)?.turnId}' is taken by a turn with other content; use another id`,
      );
    case 'status':
      return statusError(refusal.session, wanted);
    case 'expected':
      return expectedError(refusal);
    case 'label':
      return conflict(
        'label',
        refusal.session,
        `the label '${refusal.record.label}' stands at another point already; use another label`,
      );
    case 'cap':
      return capError(sessionId, refusal);
  }
}

function conflict(
  reason: SessionConflictError['reason'],
  session: SessionHead,
  message: string,
): SessionConflictError {
  return new SessionConflictError(reason, session.sessionId, message, session);
}

function statusError(session: SessionHead, wanted: string): SessionError {
  if (session.status === 'closed') return new SessionClosedError(session.sessionId);
  if (session.status === 'expired') return new SessionExpiredError(session.sessionId);
  return new SessionTransitionError(session.sessionId, session.status, wanted);
}

function expectedError(refusal: Extract<Refusal, { refused: 'expected' }>): SessionError {
  const { session, what } = refusal;
  switch (what) {
    case 'head':
    case 'seq':
      return conflict(
        'head',
        session,
        `the head is at seq ${session.head.seq} of timeline '${session.head.timelineId}', not where the call expected it; read on from there and try again`,
      );
    case 'moves':
    case 'timeline':
      return conflict('move', session, 'another move was faster; read the state and try again');
    default:
      return conflict(
        'revision',
        session,
        `the revision is ${session.revision}, not the one expected; read the state and try again`,
      );
  }
}

function capError(sessionId: string, refusal: Extract<Refusal, { refused: 'cap' }>): SessionError {
  const { actual, cap, max, session } = refusal;
  switch (cap) {
    case 'turns':
      return new SessionCapacityError(
        `session '${sessionId}' has reached the turn limit (${max})`,
        'maxTurnsPerSession',
        max,
      );
    case 'written':
      return new SessionCapacityError(
        `session '${sessionId}' has reached the limit of turns written on all its timelines (${max})`,
        'maxTurnsPerSession × 10',
        max,
      );
    case 'checkpoints':
      return new SessionCapacityError(
        `session '${sessionId}' has reached the checkpoint limit (${max}) and all are labelled; delete one`,
        'maxCheckpointsPerSession',
        max,
      );
    case 'count':
      return new SessionCapacityError(
        `session '${sessionId}' has reached the branch limit (${max})`,
        'maxBranchesPerSession',
        max,
      );
    case 'owner':
      return new SessionCapacityError(
        `user has reached the limit of active sessions (${max})`,
        'maxSessionsPerUser',
        max,
      );
    case 'sessionCost':
      return new SessionCapacityError(
        `session '${sessionId}' has spent its budget (${toUsd(max)} USD)`,
        'maxCostPerSession',
        toUsd(max),
      );
    case 'ownerCost':
      return new SessionCapacityError(
        `user '${session?.owner.userId}' has spent the budget of all sessions (${toUsd(max)} USD)`,
        'maxCostPerUser',
        toUsd(max),
      );
    case 'variablesBytes':
      return new SessionLimitError('variables', cap, actual, max, 'bytes');
    case 'variablesKeys':
      return new SessionLimitError('variables', cap, actual, max, 'keys');
    case 'total':
      return new SessionLimitError(
        `the sum of tokens or cost of session '${session?.sessionId ?? sessionId}'`,
        'total',
        actual,
        max,
      );
  }
}
