import type { JsonObject } from './json.ts';
import type { SessionTurn } from './turn.ts';

export type SessionStatus = 'active' | 'suspended' | 'closed' | 'expired';

/** The end of a session's current history; an empty one has seq 0 and no turn. */
export interface SessionPosition {
  readonly timelineId: string;
  readonly seq: number;
  readonly turnId: string | null;
}

/** What types a session's own data; `createSessions<{ metadata: …, variables: … }>()` sets it. */
export interface SessionTypes {
  metadata: object;
  variables: object;
}

/** The types of a session whose data nobody typed. */
export interface AnySession {
  metadata: JsonObject;
  variables: JsonObject;
}

/** A session as it was at one revision: an immutable, deeply frozen snapshot. Money is USD. */
export interface SessionState<T extends SessionTypes = AnySession> {
  readonly sessionId: string;
  readonly tenantId: string | null;
  readonly userId: string;
  readonly status: SessionStatus;
  readonly head: SessionPosition;
  /** Turns of the current history, inherited and merged ones too. */
  readonly turnCount: number;
  readonly metadata: Readonly<T['metadata']>;
  readonly variables: Readonly<T['variables']>;
  /** Sums over the current history. */
  readonly totalTokens: number;
  readonly totalCost: number;
  /** Sums over what was first written in this session, left behind or not. */
  readonly lifetimeTokens: number;
  readonly lifetimeCost: number;
  readonly parentSessionId: string | null;
  readonly branchName: string | null;
  readonly forkSeq: number | null;
  /** Goes up by one with every change. */
  readonly revision: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Null is never. */
  readonly expiresAt: string | null;
  readonly closedReason: string | null;
}

/** A session's state together with turns of its current history. */
export interface SessionStateWithTurns<T extends SessionTypes = AnySession>
  extends SessionState<T> {
  readonly turns: readonly SessionTurn[];
}
