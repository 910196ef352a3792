import type { RewindTarget } from '@lexigram/ai-session';
import type { CommandFields } from '../command.ts';
import type { Trial } from '../context.ts';
import { type ForkPlace, fork } from '../model/branches.ts';
import { edit, redo, regenerate, rewind, undo } from '../model/moves.ts';
import { type ModelSession, requireVisible } from '../model/session.ts';
import type { Id } from '../names.ts';
import { type Aim, type Call, labelOf, pickTurn } from './call.ts';
import { pickCheckpoint } from './checkpoint-calls.ts';

export function rewindCall(trial: Trial, aim: Aim, fields: CommandFields['rewind']): Call {
  const to: { readonly seq: number } | { readonly turn: Id } =
    'seq' in fields.to
      ? { seq: pickSeq(aim.session, fields.to) }
      : { turn: pickTurn(trial, aim.session, fields.to) };
  return {
    title: `${aim.label}: rewind ${'seq' in to ? `to seq ${to.seq}` : `to ${labelOf(to.turn)}`}`,
    expect: () => {
      requireVisible(aim.session, aim.caller);
      return rewind(trial.model, aim.session, to);
    },
    invoke: (operationId) => {
      const target: RewindTarget =
        'seq' in to ? { toSeq: to.seq } : { toTurn: trial.names.id(to.turn) };
      return aim.services().manager.rewind(aim.id(), target, { operationId });
    },
  };
}

export function editCall(trial: Trial, aim: Aim, fields: CommandFields['edit']): Call {
  const turn = pickTurn(trial, aim.session, fields.turn);
  return {
    title: `${aim.label}: edit ${labelOf(turn)} to '${fields.content}'`,
    expect: () => {
      requireVisible(aim.session, aim.caller);
      return edit(trial.model, aim.session, turn, fields.content);
    },
    invoke: (operationId) =>
      aim.services().manager.edit(aim.id(), trial.names.id(turn), fields.content, { operationId }),
  };
}

export function regenerateCall(trial: Trial, aim: Aim, fields: CommandFields['regenerate']): Call {
  const turn = pickTurn(trial, aim.session, fields.turn);
  return {
    title: `${aim.label}: regenerate ${labelOf(turn)}`,
    expect: () => {
      requireVisible(aim.session, aim.caller);
      return regenerate(trial.model, aim.session, turn);
    },
    invoke: (operationId) =>
      aim.services().manager.regenerate(aim.id(), trial.names.id(turn), { operationId }),
  };
}

export function undoCall(trial: Trial, aim: Aim): Call {
  return {
    title: `${aim.label}: undo`,
    expect: () => {
      requireVisible(aim.session, aim.caller);
      return undo(trial.model, aim.session);
    },
    invoke: (operationId) => aim.services().manager.undo(aim.id(), { operationId }),
  };
}

export function redoCall(trial: Trial, aim: Aim): Call {
  return {
    title: `${aim.label}: redo`,
    expect: () => {
      requireVisible(aim.session, aim.caller);
      return redo(trial.model, aim.session);
    },
    invoke: (operationId) => aim.services().manager.redo(aim.id(), { operationId }),
  };
}

export function forkCall(trial: Trial, aim: Aim, { at, name }: CommandFields['fork']): Call {
  const place = forkPlace(trial, aim.session, at);
  return {
    title: `${aim.label}: fork '${name}' ${trial.names.show(place)}`,
    expect: () => {
      requireVisible(aim.session, aim.caller);
      return fork(trial.model, aim.session, name, place);
    },
    invoke: (operationId) =>
      aim.services().branches.fork(aim.id(), name, {
        operationId,
        ...(place.at === 'checkpoint' ? { fromCheckpoint: trial.names.id(place.checkpoint) } : {}),
        ...(place.at === 'turn' ? { atTurn: trial.names.id(place.turn) } : {}),
        ...(place.at === 'seq' ? { atSeq: place.seq } : {}),
      }),
  };
}

function forkPlace(
  trial: Trial,
  session: ModelSession | null,
  at: CommandFields['fork']['at'],
): ForkPlace {
  switch (at.kind) {
    case 'head':
      return { at: 'head' };
    case 'checkpoint': {
      const others = trial.model.sessions.filter((one) => one !== session);
      const of = at.ofAnother ? (others[at.n % others.length] ?? null) : session;
      return { at: 'checkpoint', checkpoint: pickCheckpoint(trial, of, at.n) };
    }
    case 'turn':
      return { at: 'turn', turn: pickTurn(trial, session, at.turn) };
    case 'seq':
      return { at: 'seq', seq: pickSeq(session, at) };
  }
}

/** A seq of the history, 0 included, or one past its end. */
function pickSeq(
  session: ModelSession | null,
  { beyond, seq }: { readonly seq: number; readonly beyond: boolean },
): number {
  const end = session?.timeline.turns.length ?? 0;
  return beyond ? end + 1 + (seq % 3) : seq % (end + 1);
}
