import { SessionTransitionError } from '../errors.ts';
import { deepFreeze } from './json.ts';
import type { SessionStatus } from './state.ts';

const transitions: Readonly<Record<SessionStatus, readonly SessionStatus[]>> = {
  active: ['suspended', 'closed', 'expired'],
  suspended: ['active', 'closed', 'expired'],
  closed: [],
  expired: [],
};

/** The rules of a session's status. */
export interface SessionStateMachine {
  canTransition(from: SessionStatus, to: SessionStatus): boolean;
  /** @throws SessionTransitionError */
  validate(sessionId: string, from: SessionStatus, to: SessionStatus): void;
  /** Whether nothing follows: closed and expired. */
  isTerminal(status: SessionStatus): boolean;
  /** The statuses in which a thing may be done. Reading, forking and deleting may be done in all. */
  readonly allowed: {
    /** Turns, variables, metadata, moves: all that changes what a session holds. */
    readonly write: readonly SessionStatus[];
    readonly checkpoint: readonly SessionStatus[];
    readonly suspend: readonly SessionStatus[];
    readonly resume: readonly SessionStatus[];
    readonly close: readonly SessionStatus[];
  };
}

/** The one table of statuses: which follows which, and what is allowed in each. */
export const SessionStateMachine: SessionStateMachine = Object.freeze({
  canTransition: (from, to) => transitions[from].includes(to),

  validate(sessionId, from, to) {
    if (!transitions[from].includes(to)) throw new SessionTransitionError(sessionId, from, to);
  },

  isTerminal: (status) => transitions[status].length === 0,

  allowed: deepFreeze({
    write: ['active'],
    checkpoint: ['active', 'suspended'],
    suspend: ['active'],
    resume: ['suspended'],
    close: ['active', 'suspended'],
  }),
} satisfies SessionStateMachine);
