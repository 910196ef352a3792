import type { JsonValue, ListSessionsQuery, TurnsOptions } from '@lexigram/ai-session';
import type { CommandFields, ListCommand } from '../command.ts';
import type { Trial } from '../context.ts';
import { livingBranches } from '../model/life.ts';
import { refuse } from '../model/refusal.ts';
import {
  type ModelOwner,
  type ModelSession,
  requireVisible,
  sameOwner,
  statusOf,
} from '../model/session.ts';
import { historyView, stateView } from '../model/views.ts';
import { type Aim, type Call, owners } from './call.ts';
import { allOf, allPages, inOneOrder } from './pages.ts';

export function getStateCall(trial: Trial, aim: Aim, { last }: CommandFields['getState']): Call {
  return {
    title: `${aim.label}: getState ${last === null ? '' : `with turns ${last}`}`,
    expect: () => {
      requireVisible(aim.session, aim.caller);
      return stateView(trial.model, aim.session, last);
    },
    invoke: () => {
      const { manager } = aim.services();
      return last === null
        ? manager.getState(aim.id())
        : manager.getState(aim.id(), { turns: last });
    },
  };
}

export function turnsCall(trial: Trial, aim: Aim, options: CommandFields['turns']): Call {
  const { from = 1, limit, order, to = Number.POSITIVE_INFINITY } = options;
  const asked: TurnsOptions = { from: options.from, to: options.to, limit, order };
  return {
    title: `${aim.label}: turns ${trial.names.show(asked)}`,
    expect: () => {
      if (from > to) refuse('input');
      requireVisible(aim.session, aim.caller);
      const rows = historyView(aim.session).filter((_, i) => i + 1 >= from && i + 1 <= to);
      return (order === 'desc' ? rows.toReversed() : rows).slice(0, limit);
    },
    invoke: () => allOf(aim.services().manager.turns(aim.id(), asked)),
  };
}

export function listCheckpointsCall(
  _: Trial,
  aim: Aim,
  { limit }: CommandFields['listCheckpoints'],
): Call {
  return {
    title: `${aim.label}: checkpoints.list by ${limit}`,
    expect: () => {
      requireVisible(aim.session, aim.caller);
      return aim.session.checkpoints.map((one) => one.view);
    },
    invoke: () => allPages(limit, (page) => aim.services().checkpoints.list(aim.id(), page)),
  };
}

export function listBranchesCall(
  trial: Trial,
  aim: Aim,
  { limit }: CommandFields['listBranches'],
): Call {
  return {
    title: `${aim.label}: branches.list by ${limit}`,
    expect: () => {
      requireVisible(aim.session, aim.caller);
      return statesOf(trial, livingBranches(trial.model, aim.session), false);
    },
    invoke: async () =>
      inOneOrder(
        await allPages(limit, (page) => aim.services().branches.list(aim.id(), page)),
        false,
      ),
  };
}

export function listCall(trial: Trial, command: ListCommand): Call {
  const { limit, metadata, scope, status } = command;
  const owner = owners[command.owner % owners.length] as ModelOwner;
  const filter = { status, metadata };
  return {
    title: `list by ${limit} ${trial.names.show({ scope, owner, ...filter })}`,
    expect: () => {
      const found = trial.model.sessions.filter(
        (session) =>
          !session.deleted &&
          inScope(session, scope, owner) &&
          (status === undefined || statusOf(trial.model, session) === status) &&
          Object.entries(metadata ?? {}).every(([key, value]) => hasExactly(session, key, value)),
      );
      return statesOf(trial, found, true);
    },
    invoke: async () => {
      const { manager } = trial.sessions;
      const query: ListSessionsQuery =
        scope === 'tenant'
          ? { ...filter, ...owner }
          : scope === 'user'
            ? { ...filter, userId: owner.userId }
            : filter;
      const items = await allPages(limit, (page) =>
        scope === 'owner'
          ? trial.sessions.as(owner).manager.list({ ...filter, ...page })
          : manager.list({ ...query, ...page }),
      );
      return inOneOrder(items, true);
    },
  };
}

function inScope(session: ModelSession, scope: ListCommand['scope'], owner: ModelOwner): boolean {
  if (scope === 'all') return true;
  if (scope === 'user') return session.owner.userId === owner.userId;
  return sameOwner(session.owner, owner);
}

function hasExactly(session: ModelSession, key: string, value: JsonValue): boolean {
  return Object.hasOwn(session.metadata, key) && session.metadata[key] === value;
}

/** The states of sessions in the order in which `inOneOrder` puts what was read. */
export function statesOf(
  { model, names }: Trial,
  sessions: readonly ModelSession[],
  newestFirst: boolean,
): readonly object[] {
  return sessions
    .map((session) => ({ sessionId: names.id(session.id), createdAt: session.createdAt, session }))
    .toSorted((a, b) => {
      const byTime = newestFirst ? b.createdAt - a.createdAt : a.createdAt - b.createdAt;
      return byTime !== 0 ? byTime : a.sessionId < b.sessionId ? -1 : 1;
    })
    .map(({ session }) => stateView(model, session));
}
