import type { SessionTurn } from '@lexigram/ai-session';
import type { CommandFields, SiblingPick } from '../command.ts';
import type { Trial } from '../context.ts';
import { merge } from '../model/merge.ts';
import { refuse } from '../model/refusal.ts';
import { requireVisible } from '../model/session.ts';
import { relatives, select, siblings, turnsElsewhere } from '../model/siblings.ts';
import type { Id } from '../names.ts';
import { type Aim, type Call, labelOf, pick, pickTurn } from './call.ts';
import { allPages } from './pages.ts';

export function mergeCall(trial: Trial, aim: Aim, fields: CommandFields['merge']): Call {
  const { model, names } = trial;
  const { n, of, winner } = fields;
  const family = aim.session === null ? [] : relatives(model, aim.session);
  const branch =
    of === 'itself'
      ? aim.session
      : pick(of === 'family' && family.length > 0 ? family : model.sessions, n);
  return {
    title: `${aim.label}: merge ${branch?.label}, ${winner} wins`,
    expect: () => {
      if (aim.session === branch) refuse('input');
      requireVisible(aim.session, aim.caller);
      requireVisible(branch, aim.session.owner);
      return merge(model, aim.session, branch, winner);
    },
    invoke: async (operationId) => {
      const id = names.id(branch?.id ?? 'no-such-session');
      const options = { operationId, ...(winner === 'parent' ? { onConflict: winner } : {}) };
      const { conflicts, ...done } = await aim.services().branches.merge(aim.id(), id, options);
      return {
        ...done,
        conflicts: Object.fromEntries(conflicts.map(({ key, ...values }) => [key, values])),
      };
    },
  };
}

export function selectCall(
  trial: Trial,
  aim: Aim,
  { turn: chosen }: CommandFields['select'],
): Call {
  const turn = pickToSelect(trial, aim, chosen);
  return {
    title: `${aim.label}: select ${labelOf(turn)}`,
    expect: () => {
      requireVisible(aim.session, aim.caller);
      return select(trial.model, aim.session, turn);
    },
    invoke: (operationId) =>
      aim.services().manager.select(aim.id(), trial.names.id(turn), { operationId }),
  };
}

export function siblingsCall(
  trial: Trial,
  aim: Aim,
  { limit, turn: chosen }: CommandFields['siblings'],
): Call {
  const { names } = trial;
  const turn = pickToSelect(trial, aim, chosen);
  const order = (turns: readonly { readonly turnId: string; readonly text: string }[]) =>
    turns.toSorted((a, b) => (a.turnId + a.text < b.turnId + b.text ? -1 : 1));
  return {
    title: `${aim.label}: siblings of ${labelOf(turn)}`,
    expect: () => {
      requireVisible(aim.session, aim.caller);
      const found = siblings(trial.model, aim.session, turn) as (SessionTurn & { turnId: Id })[];
      const keyed = found.map((one) => ({
        turnId: names.id(one.turnId),
        text: JSON.stringify([one.timestamp, one.content]),
        one,
      }));
      return order(keyed).map((entry) => (entry as (typeof keyed)[number]).one);
    },
    invoke: async () => {
      const { manager } = aim.services();
      const found = await allPages(limit, (page) =>
        manager.siblings(aim.id(), names.id(turn), page),
      );
      const keyed = found.map((one) => ({
        turnId: one.turnId,
        text: JSON.stringify([one.timestamp, one.content]),
        one,
      }));
      return order(keyed).map((entry) => (entry as (typeof keyed)[number]).one);
    },
  };
}

/** A turn of the session's own, or of another one of the family. */
function pickToSelect(trial: Trial, { session }: Aim, { from, n }: SiblingPick): Id {
  if (from !== 'family' || session === null) {
    return pickTurn(trial, session, { from: from === 'family' ? 'history' : from, n });
  }
  const known = new Set(session.all.flatMap(({ turns }) => turns.map(({ id }) => id)));
  const others = turnsElsewhere(trial.model, session).filter(({ turn }) => !known.has(turn.id));
  return pick(others, n)?.turn.id ?? pickTurn(trial, session, { from: 'left', n });
}
