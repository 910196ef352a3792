import type { ScopedSessions, SessionManager } from '@lexigram/ai-session';
import type { SessionCommand, TurnPick } from '../command.ts';
import type { Trial } from '../context.ts';
import { livingBranches } from '../model/life.ts';
import {
  type ModelHead,
  type ModelOwner,
  type ModelSession,
  type PlainModel,
  sameOwner,
  statusOf,
} from '../model/session.ts';
import { relatives } from '../model/siblings.ts';
import type { Id } from '../names.ts';

/** One call of a public service, and what the model says about it. */
export interface Call {
  /** What is asked for, for a reader. */
  readonly title: string;
  /** Does it to the model: the answer that must come, or a Refusal thrown. */
  readonly expect: () => unknown;
  /** Does it to the store under test. */
  readonly invoke: (operationId?: string) => Promise<unknown>;
  /** The session that it is about; absent if it is about none that is there. */
  readonly session?: ModelSession | null;
}

/** What the services for everybody and those for one owner have in common. */
export interface Services {
  readonly manager: Omit<SessionManager, 'create' | 'list' | 'transfer'>;
  readonly checkpoints: ScopedSessions['checkpoints'];
  readonly branches: ScopedSessions['branches'];
}

/** A command's target, found. */
export interface Aim {
  /** Null for one that never was. */
  readonly session: ModelSession | null;
  /** The id to call with. */
  readonly id: () => string;
  /** Null for a caller without an owner. */
  readonly caller: ModelOwner | null;
  readonly services: () => Services;
  /** The target and the caller, for a reader. */
  readonly label: string;
}

/** Two users and three tenants that are easily mixed up. */
export const owners: readonly ModelOwner[] = [
  { tenantId: 'acme', userId: 'ada' },
  { tenantId: 'Acme', userId: 'ada' },
  { tenantId: null, userId: 'ada' },
  { tenantId: 'acme', userId: 'Ada' },
];

/** Null if no session fits: the command is left out. */
export function aimOf(trial: Trial, command: SessionCommand): Aim | null {
  const { aim, n, via } = command.target;
  const { model } = trial;
  const fitting = aim === 'fit' ? fittingSessions(model, command.do, n) : model.sessions;
  if (fitting.length === 0) return null;
  const session = aim === 'unknown' ? null : pick(fitting, n);
  const owner = session?.owner ?? (owners[0] as ModelOwner);
  const foreign = owners.filter((one) => !sameOwner(one, owner));
  const caller =
    via === 'anyone' ? null : via === 'owner' ? owner : (foreign[n % foreign.length] as ModelOwner);
  const by = caller === null ? '' : via === 'owner' ? ' (by its owner)' : ' (by somebody else)';
  return {
    session,
    id: () => trial.names.id(session?.id ?? 'no-such-session'),
    caller,
    services: () => (caller === null ? trial.sessions : trial.sessions.as(caller)),
    label: `${session?.label ?? 'no such session'}${by}`,
  };
}

/** The n-th from the end, counted round. */
export function pick<T>(items: readonly T[], n: number): T | null {
  return items.at(-1 - (n % items.length)) ?? null;
}

/**
 * The sessions on which a command makes sense. A parent is deleted more often than others, a full session gets a turn
 * now and then, and a redo is sometimes tried after other moves: that a move clears it is half of what there is to know.
 */
function fittingSessions(
  model: PlainModel,
  kind: SessionCommand['do'],
  n: number,
): readonly ModelSession[] {
  const fitting = model.sessions.filter((one) => fits(model, one, kind));
  if (kind.startsWith('addTurn') && n === 8) {
    const full = model.sessions.filter((one) => one.closedReason === 'turn_limit');
    return full.length > 0 ? full : fitting;
  }
  if (kind === 'delete' && n % 2 === 0) {
    const parents = fitting.filter((one) => livingBranches(model, one).length > 0);
    return parents.length > 0 ? parents : fitting;
  }
  if (kind !== 'redo' || fitting.length > 0 || n % 3 !== 0) return fitting;
  return model.sessions.filter((one) => one.timelines > 1 && fits(model, one, 'rewind'));
}

/** Whether a command makes sense on a session, so that most of them succeed. */
function fits(model: PlainModel, session: ModelSession, kind: SessionCommand['do']): boolean {
  if (session.deleted) return false;
  const status = statusOf(model, session);
  const { turns } = session.timeline;
  switch (kind) {
    case 'resume':
      return status === 'suspended';
    case 'close':
    case 'checkpoint':
      return status === 'active' || status === 'suspended';
    case 'deleteCheckpoint':
    case 'getCheckpoint':
      return status !== 'closed' && status !== 'expired' && session.checkpoints.length > 0;
    case 'addTurn':
    case 'addTurns':
      return status === 'active' && turns.length < model.config.maxTurnsPerSession;
    case 'restore':
      return status === 'active' && session.checkpoints.length > 0;
    case 'merge':
      return status === 'active' && relatives(model, session).length > 0;
    case 'select':
    case 'rewind':
    case 'edit':
    case 'regenerate':
      return status === 'active' && turns.length > 0;
    case 'undo':
      return status === 'active' && session.undo.length > 0;
    case 'redo':
      return status === 'active' && session.redo.length > 0;
    case 'setVariables':
    case 'setMetadata':
    case 'suspend':
      return status === 'active';
    default:
      return true;
  }
}

/** The id of a turn to name; unknown if there is none of that kind. */
export function pickTurn(trial: Trial, session: ModelSession | null, { from, n }: TurnPick): Id {
  const current = session?.timeline.turns ?? [];
  const own = session?.own.map((one) => one.turn) ?? [];
  const left = own.filter((turn) => !current.includes(turn));
  const elsewhere = trial.model.sessions
    .flatMap((one) => one.own.map(({ turn }) => turn))
    .filter((turn) => [...current, ...own].every((one) => one.id !== turn.id));
  const pool =
    from === 'left' && left.length > 0 ? left : from === 'elsewhere' ? elsewhere : current;
  return pick(pool, n)?.id ?? 'no-such-turn';
}

/** A turn's id for a reader. */
export function labelOf(id: Id): string {
  return typeof id === 'string' ? `'${id}'` : id.label;
}

/** A head as callers give it. */
export function realHead(
  trial: Trial,
  head: ModelHead,
): { readonly timelineId: string; readonly seq: number; readonly turnId: string | null } {
  const { seq, timelineId, turnId } = head;
  return {
    timelineId: trial.names.id(timelineId),
    seq,
    turnId: turnId === null ? null : trial.names.id(turnId),
  };
}
