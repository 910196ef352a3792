import type { CommandFields } from '../command.ts';
import type { Trial } from '../context.ts';
import { checkpoint, deleteCheckpoint, findCheckpoint } from '../model/checkpoints.ts';
import { restore } from '../model/moves.ts';
import { type ModelSession, requireVisible } from '../model/session.ts';
import type { Id } from '../names.ts';
import { type Aim, type Call, labelOf, pick } from './call.ts';

export function checkpointCall(
  trial: Trial,
  aim: Aim,
  { label, metadata }: CommandFields['checkpoint'],
): Call {
  return {
    title: `${aim.label}: checkpoint ${label === null ? '' : `'${label}'`}`,
    expect: () => {
      requireVisible(aim.session, aim.caller);
      return checkpoint(trial.model, aim.session, label, metadata);
    },
    invoke: (operationId) => {
      const options = { metadata, operationId, ...(label === null ? {} : { label }) };
      return aim.services().manager.checkpoint(aim.id(), options);
    },
  };
}

export function getCheckpointCall(
  trial: Trial,
  aim: Aim,
  { n }: CommandFields['getCheckpoint'],
): Call {
  const id = pickCheckpoint(trial, aim.session, n);
  return {
    title: `${aim.label}: checkpoints.get ${labelOf(id)}`,
    expect: () => {
      requireVisible(aim.session, aim.caller, 'checkpointNotFound');
      return findCheckpoint(aim.session, id).view;
    },
    invoke: () => aim.services().checkpoints.get(trial.names.id(id)),
  };
}

export function restoreCall(trial: Trial, aim: Aim, { n }: CommandFields['restore']): Call {
  const id = pickCheckpoint(trial, aim.session, n);
  return {
    title: `${aim.label}: restore ${labelOf(id)}`,
    expect: () => {
      requireVisible(aim.session, aim.caller, 'checkpointNotFound');
      return restore(trial.model, aim.session, id);
    },
    invoke: (operationId) =>
      aim.services().checkpoints.restore(trial.names.id(id), { operationId }),
  };
}

export function deleteCheckpointCall(
  trial: Trial,
  aim: Aim,
  { n }: CommandFields['deleteCheckpoint'],
): Call {
  const id = pickCheckpoint(trial, aim.session, n);
  return {
    title: `${aim.label}: checkpoints.delete ${labelOf(id)}`,
    expect: () => {
      requireVisible(aim.session, aim.caller, 'checkpointNotFound');
      return deleteCheckpoint(trial.model, aim.session, id);
    },
    invoke: (operationId) => aim.services().checkpoints.delete(trial.names.id(id), { operationId }),
  };
}

/** One of the session's checkpoints that were shown; sometimes one that is gone. */
export function pickCheckpoint({ names }: Trial, session: ModelSession | null, n: number): Id {
  const there = session?.checkpoints.map((one) => one.id) ?? [];
  const gone = (session?.checkpointsMade ?? []).filter((id) => !there.includes(id));
  const pool = n % 9 === 8 ? gone : there;
  return (
    pick(
      pool.filter((id) => names.has(id)),
      n,
    ) ?? 'no-such-session.c1'
  );
}
