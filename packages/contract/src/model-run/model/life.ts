import type { JsonObject } from '@lexigram/ai-session';
import { type Id, Name } from '../names.ts';
import { write } from './add-turns.ts';
import { capped, conflict, refuse } from './refusal.ts';
import {
  changed,
  expiryOf,
  headOf,
  type ModelOwner,
  type ModelSession,
  newTimelineName,
  type Place,
  type PlainModel,
  requireStatus,
  sameOwner,
  statusOf,
} from './session.ts';
import { newTimeline, type Patch, patched } from './timeline.ts';
import { stateView } from './views.ts';

export interface CreateOptions {
  readonly owner: ModelOwner;
  readonly id: Id | null;
  readonly metadata: JsonObject;
  readonly variables: JsonObject;
  /** Undefined for the configuration's. */
  readonly systemPrompt?: string | null | undefined;
}

export function create(model: PlainModel, options: CreateOptions): object {
  const { config, sessions } = model;
  const { id, metadata, owner, variables } = options;
  if (id !== null && sessions.some((session) => session.id === id)) conflict('session');
  const open = sessions.filter(
    (session) =>
      !session.deleted &&
      session.parent === null &&
      sameOwner(session.owner, owner) &&
      ['active', 'suspended'].includes(statusOf(model, session)),
  );
  if (open.length >= config.maxSessionsPerUser) capped('maxSessionsPerUser');
  const first = { values: variables };
  const place: Place = { history: { turns: [], versions: [first], merges: [] }, latest: first };
  const session = newSession(model, { id, owner, metadata, place, parent: null });
  const prompt =
    options.systemPrompt === undefined ? config.defaultSystemPrompt : options.systemPrompt;
  if (prompt !== null) {
    write(model, session, [{ id: null, body: { role: 'system', content: prompt } }], undefined);
    session.heads = [headOf(session)];
  }
  return stateView(model, session);
}

/** Puts a session into the model: one that was made, or a branch. */
export function newSession(
  model: PlainModel,
  given: Pick<ModelSession, 'owner' | 'metadata' | 'parent'> & {
    readonly id: Id | null;
    readonly place: Place;
  },
): ModelSession {
  const label = `session ${model.sessions.length + 1}`;
  const counter = { label, timelines: 0 };
  const timeline = newTimeline(newTimelineName(counter), given.place.history, given.place.latest);
  const session: ModelSession = {
    label,
    id: given.id ?? new Name('session', label),
    owner: given.owner,
    parent: given.parent,
    root: given.parent?.session.root ?? timeline.id,
    createdAt: model.now,
    metadata: given.metadata,
    start: startOf(given),
    timeline,
    all: [timeline],
    undo: [],
    redo: [],
    checkpoints: [],
    own: [],
    heads: [],
    status: 'active',
    closedReason: null,
    revision: 1,
    updatedAt: model.now,
    expiresAt: expiryOf(model, model.now),
    deleted: false,
    timelines: counter.timelines,
    checkpointsMade: [],
  };
  session.heads.push(headOf(session));
  model.sessions.push(session);
  return session;
}

function startOf({
  parent,
  place: { history, latest },
}: Pick<ModelSession, 'parent'> & { readonly place: Place }): ModelSession['start'] {
  if (parent === null) return null;
  const { turns } = history;
  return { seq: turns.length, last: turns.at(-1) ?? null, values: latest.values };
}

export function setVariables(
  model: PlainModel,
  session: ModelSession,
  patch: Patch,
  revision: number | undefined,
): object {
  requireStatus(model, session, ['active']);
  requireRevision(session, revision);
  session.timeline.latest = { values: patched(session.timeline.latest.values, patch) };
  changed(model, session);
  return stateView(model, session);
}

export function setMetadata(
  model: PlainModel,
  session: ModelSession,
  patch: Patch,
  revision: number | undefined,
): object {
  requireStatus(model, session, ['active']);
  requireRevision(session, revision);
  session.metadata = patched(session.metadata, patch);
  changed(model, session);
  return stateView(model, session);
}

function requireRevision(session: ModelSession, revision: number | undefined): void {
  if (revision === undefined || revision === session.revision) return;
  conflict('revision', { head: headOf(session), revision: session.revision });
}

export function suspend(model: PlainModel, session: ModelSession): object {
  requireStatus(model, session, ['active']);
  session.status = 'suspended';
  changed(model, session);
  return stateView(model, session);
}

export function resume(model: PlainModel, session: ModelSession): object {
  // The table allows `resume` while suspended only; an active session makes an invalid transition.
  if (statusOf(model, session) === 'active') refuse('transition');
  requireStatus(model, session, ['suspended']);
  session.status = 'active';
  changed(model, session);
  return stateView(model, session);
}

export function close(model: PlainModel, session: ModelSession, reason: string | null): object {
  requireStatus(model, session, ['active', 'suspended']);
  session.status = 'closed';
  session.closedReason = reason;
  changed(model, session);
  return stateView(model, session);
}

/** With its branches if asked, and theirs; what a living branch shows is its own copy. */
export function remove(model: PlainModel, session: ModelSession, withBranches: boolean): undefined {
  session.deleted = true;
  if (!withBranches) return;
  for (const branch of livingBranches(model, session)) remove(model, branch, true);
}

/** Direct branches that were not deleted, oldest first. */
export function livingBranches(model: PlainModel, session: ModelSession): readonly ModelSession[] {
  return model.sessions.filter((one) => !one.deleted && one.parent?.session === session);
}
