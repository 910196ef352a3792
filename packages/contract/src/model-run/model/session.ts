import type { JsonObject, SessionConfig, SessionStatus } from '@lexigram/ai-session';
import { type Id, Name } from '../names.ts';
import { codes, Refusal, refuse } from './refusal.ts';
import type { History, ModelTimeline, Version } from './timeline.ts';
import type { ModelTurn } from './turn.ts';

export interface ModelOwner {
  readonly tenantId: string | null;
  readonly userId: string;
}

/** A place where a session may go: a history, and the variables there. */
export interface Place {
  readonly history: History;
  readonly latest: Version;
}

export interface ModelCheckpoint extends Place {
  readonly id: Name;
  readonly label: string | null;
  readonly automatic: boolean;
  /** What a caller must read. */
  readonly view: object;
}

/** A turn that the session wrote itself, with a full copy of the history that it ends. */
export interface OwnTurn {
  readonly turn: ModelTurn;
  readonly history: History;
}

/** A head as it once was. */
export interface ModelHead {
  readonly timelineId: Id;
  readonly seq: number;
  readonly turnId: Id | null;
}

export interface ModelSession {
  readonly label: string;
  readonly id: Id;
  readonly owner: ModelOwner;
  readonly parent: {
    readonly session: ModelSession;
    readonly branchName: string;
    readonly seq: number;
  } | null;
  /** Where seq 0 of the whole family lies. */
  readonly root: Id;
  readonly createdAt: number;
  metadata: JsonObject;
  /** Where a branch began, and with which variables. */
  readonly start: {
    readonly seq: number;
    readonly last: ModelTurn | null;
    readonly values: JsonObject;
  } | null;
  timeline: ModelTimeline;
  /** All timelines that it ever stood on, in order. */
  readonly all: ModelTimeline[];
  undo: ModelTimeline[];
  redo: ModelTimeline[];
  checkpoints: ModelCheckpoint[];
  own: OwnTurn[];
  heads: ModelHead[];
  status: 'active' | 'suspended' | 'closed';
  closedReason: string | null;
  revision: number;
  updatedAt: number;
  expiresAt: number | null;
  deleted: boolean;
  timelines: number;
  /** Also of those that are gone. */
  checkpointsMade: Name[];
}

/** Everything that the model knows. Nothing in it is fast, shared or clever. */
export class PlainModel {
  readonly config: SessionConfig;
  readonly sessions: ModelSession[] = [];
  now: number;
  #turns = 0;

  constructor(config: SessionConfig, now: number) {
    this.config = config;
    this.now = now;
  }

  newTurnName(): Name {
    this.#turns++;
    return new Name('turn', `turn ${this.#turns}`);
  }
}

export function newTimelineName(session: { readonly label: string; timelines: number }): Name {
  session.timelines++;
  return new Name('timeline', `${session.label} timeline ${session.timelines}`);
}

/** Expiry is a predicate on the clock. */
export function statusOf(model: PlainModel, session: ModelSession): SessionStatus {
  if (session.status === 'closed') return 'closed';
  return session.expiresAt !== null && model.now >= session.expiresAt ? 'expired' : session.status;
}

export function headOf(session: ModelSession): ModelHead {
  const { id, turns } = session.timeline;
  return { timelineId: id, seq: turns.length, turnId: turns.at(-1)?.id ?? null };
}

/** When a session that changes now runs out. */
export function expiryOf({ config, now }: PlainModel, createdAt: number): number | null {
  const ends = [];
  if (config.sessionTtl > 0) ends.push(now + config.sessionTtl * 1000);
  if (config.sessionMaxAge !== null) ends.push(createdAt + config.sessionMaxAge * 1000);
  return ends.length === 0 ? null : Math.min(...ends);
}

/** Notes that a session changed: one more revision, a new time, a new end. */
export function changed(model: PlainModel, session: ModelSession): void {
  session.revision++;
  session.updatedAt = model.now;
  session.expiresAt = expiryOf(model, session.createdAt);
  session.heads.push(headOf(session));
}

/** Refuses a session that a caller cannot see, as if it were unknown. */
export function requireVisible(
  session: ModelSession | null,
  caller: ModelOwner | null,
  missing: 'notFound' | 'checkpointNotFound' = 'notFound',
): asserts session is ModelSession {
  if (session === null || session.deleted) refuse(missing);
  if (caller !== null && !sameOwner(session.owner, caller)) refuse(missing);
}

export function sameOwner(a: ModelOwner, b: ModelOwner): boolean {
  return a.tenantId === b.tenantId && a.userId === b.userId;
}

/** Refuses what a session's status does not allow. `fault` is another error that may come first. */
export function requireStatus(
  model: PlainModel,
  session: ModelSession,
  allowed: readonly SessionStatus[],
  fault?: keyof typeof codes,
): void {
  const status = statusOf(model, session);
  if (allowed.includes(status)) return;
  const refusal =
    status === 'closed' ? codes.closed : status === 'expired' ? codes.expired : codes.transition;
  throw new Refusal(fault === undefined ? [refusal] : [refusal, codes[fault]]);
}
