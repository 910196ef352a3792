import type { JsonObject } from '@lexigram/ai-session';
import { Name } from '../names.ts';
import { capped, conflict, refuse } from './refusal.ts';
import {
  changed,
  type ModelCheckpoint,
  type ModelSession,
  type PlainModel,
  requireStatus,
} from './session.ts';
import { upTo, versionAt, whole } from './timeline.ts';
import { checkpointView } from './views.ts';

/** A checkpoint by hand. The same label at the same point is the same checkpoint. */
export function checkpoint(
  model: PlainModel,
  session: ModelSession,
  label: string | null,
  metadata: JsonObject,
): object {
  const same = session.checkpoints.find((one) => label !== null && one.label === label);
  requireStatus(model, session, ['active', 'suspended']);
  if (same !== undefined) {
    if (!standsAt(session, same)) conflict('label');
    return same.view;
  }
  if (!makeRoom(model, session)) capped('maxCheckpointsPerSession');
  const { timeline } = session;
  const saved = newCheckpoint(model, session, timeline.turns.length, label, metadata);
  session.checkpoints.push({ ...saved, history: whole(timeline), latest: timeline.latest });
  changed(model, session);
  return saved.view;
}

/** Whether a session stands where a checkpoint is: the same physical turn, the same version of the variables. */
function standsAt({ timeline }: ModelSession, { history, latest }: ModelCheckpoint): boolean {
  const sameTurn =
    timeline.turns.length === history.turns.length &&
    timeline.turns.at(-1) === history.turns.at(-1);
  return sameTurn && timeline.latest === latest;
}

/** The oldest automatic checkpoint goes, then the oldest without a label. Answers whether there is room now. */
function makeRoom({ config }: PlainModel, session: ModelSession): boolean {
  const { checkpoints } = session;
  if (checkpoints.length < config.maxCheckpointsPerSession) return true;
  const oldest =
    checkpoints.find((one) => one.automatic) ?? checkpoints.find((one) => one.label === null);
  if (oldest === undefined) return false;
  session.checkpoints = checkpoints.filter((one) => one !== oldest);
  return true;
}

function newCheckpoint(
  model: PlainModel,
  session: ModelSession,
  seq: number,
  label: string | null,
  metadata: JsonObject | null,
): ModelCheckpoint {
  const n = session.checkpointsMade.length + 1;
  const id = new Name('checkpoint', `${session.label} checkpoint ${n}`);
  session.checkpointsMade.push(id);
  return {
    id,
    label,
    automatic: metadata === null,
    history: upTo(session.timeline, seq),
    latest: versionAt(session.timeline, seq),
    view: checkpointView(model, session, seq, { id, label, metadata }),
  };
}

/** One at each multiple of the interval that lies after `before`. Skipped if all others are labelled. */
export function saveAutomatically(
  model: PlainModel,
  session: ModelSession,
  before: number,
): readonly ModelCheckpoint[] {
  const interval = model.config.autoCheckpointInterval;
  if (interval === null) return [];
  const made: ModelCheckpoint[] = [];
  for (let seq = before + 1; seq <= session.timeline.turns.length; seq++) {
    if (seq % interval !== 0 || !makeRoom(model, session)) continue;
    const saved = newCheckpoint(model, session, seq, null, null);
    session.checkpoints.push(saved);
    made.push(saved);
  }
  return made;
}

/** The checkpoint of that name, which must still be there. */
export function findCheckpoint(session: ModelSession, id: Name | string): ModelCheckpoint {
  return session.checkpoints.find((one) => one.id === id) ?? refuse('checkpointNotFound');
}

export function deleteCheckpoint(
  model: PlainModel,
  session: ModelSession,
  id: Name | string,
): undefined {
  const found = findCheckpoint(session, id);
  requireStatus(model, session, ['active', 'suspended']);
  session.checkpoints = session.checkpoints.filter((one) => one !== found);
  changed(model, session);
}
