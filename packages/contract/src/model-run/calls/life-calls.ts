import type { CommandFields, CreateCommand, Freshness } from '../command.ts';
import type { Trial } from '../context.ts';
import {
  type CreateOptions,
  close,
  create,
  remove,
  resume,
  setMetadata,
  setVariables,
  suspend,
} from '../model/life.ts';
import { type ModelOwner, type ModelSession, requireVisible } from '../model/session.ts';
import { type Aim, type Call, owners, pick } from './call.ts';

export function createCall(trial: Trial, command: CreateCommand): Call {
  const { metadata, prompt, scoped, variables } = command;
  const owner = owners[command.owner % owners.length] as ModelOwner;
  const taken = pick(trial.model.sessions, command.n)?.id ?? null;
  const id =
    scoped || command.id === 'generated'
      ? null
      : command.id === 'taken'
        ? taken
        : trial.newChosenId('session');
  const options: CreateOptions = { owner, id, metadata, variables, systemPrompt: prompt };
  return {
    title: `create ${trial.names.show(options)}`,
    expect: () => create(trial.model, options),
    invoke: (operationId) => {
      const input = { metadata, variables, systemPrompt: prompt, operationId };
      if (scoped) return trial.sessions.as(owner).manager.create(input);
      const sessionId = id === null ? undefined : trial.names.id(id);
      return trial.sessions.manager.create({ ...owner, ...input, sessionId });
    },
  };
}

export function setVariablesCall(
  trial: Trial,
  aim: Aim,
  { patch, revision }: CommandFields['setVariables'],
): Call {
  const expected = expectedRevision(aim.session, revision);
  return {
    title: `${aim.label}: setVariables ${JSON.stringify(patch)} ${shownRevision(expected)}`,
    expect: () => {
      requireVisible(aim.session, aim.caller);
      return setVariables(trial.model, aim.session, patch, expected);
    },
    invoke: (operationId) => {
      const options = { unset: patch.unset, expectedRevision: expected, operationId };
      return aim.services().manager.setVariables(aim.id(), patch.set, options);
    },
  };
}

export function setMetadataCall(
  trial: Trial,
  aim: Aim,
  { patch, revision }: CommandFields['setMetadata'],
): Call {
  const expected = expectedRevision(aim.session, revision);
  return {
    title: `${aim.label}: setMetadata ${JSON.stringify(patch)} ${shownRevision(expected)}`,
    expect: () => {
      requireVisible(aim.session, aim.caller);
      return setMetadata(trial.model, aim.session, patch, expected);
    },
    invoke: (operationId) => {
      const options = { unset: patch.unset, expectedRevision: expected, operationId };
      return aim.services().manager.setMetadata(aim.id(), patch.set, options);
    },
  };
}

function expectedRevision(session: ModelSession | null, wanted: Freshness): number | undefined {
  if (wanted === 'none') return undefined;
  return (session?.revision ?? 1) - (wanted === 'stale' ? 1 : 0);
}

function shownRevision(revision: number | undefined): string {
  return revision === undefined ? '' : `expecting revision ${revision}`;
}

export function suspendCall(trial: Trial, aim: Aim): Call {
  return {
    title: `${aim.label}: suspend`,
    expect: () => {
      requireVisible(aim.session, aim.caller);
      return suspend(trial.model, aim.session);
    },
    invoke: (operationId) => aim.services().manager.suspend(aim.id(), { operationId }),
  };
}

export function resumeCall(trial: Trial, aim: Aim): Call {
  return {
    title: `${aim.label}: resume`,
    expect: () => {
      requireVisible(aim.session, aim.caller);
      return resume(trial.model, aim.session);
    },
    invoke: (operationId) => aim.services().manager.resume(aim.id(), { operationId }),
  };
}

export function closeCall(trial: Trial, aim: Aim, { reason }: CommandFields['close']): Call {
  return {
    title: `${aim.label}: close ${reason === null ? '' : `because '${reason}'`}`,
    expect: () => {
      requireVisible(aim.session, aim.caller);
      return close(trial.model, aim.session, reason);
    },
    invoke: (operationId) => {
      const options = { operationId, ...(reason === null ? {} : { reason }) };
      return aim.services().manager.close(aim.id(), options);
    },
  };
}

export function deleteCall(
  trial: Trial,
  aim: Aim,
  { withBranches }: CommandFields['delete'],
): Call {
  return {
    title: `${aim.label}: delete ${withBranches ? 'with branches' : ''}`,
    expect: () => {
      requireVisible(aim.session, aim.caller);
      return remove(trial.model, aim.session, withBranches);
    },
    invoke: (operationId) => aim.services().manager.delete(aim.id(), { withBranches, operationId }),
  };
}
