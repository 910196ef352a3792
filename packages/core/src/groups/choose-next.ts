import { SessionInputError } from '../errors.ts';
import { kindOf } from '../session/ids.ts';
import { atOnceOrLater } from '../session/is-thenable.ts';
import { copyJson, isPlainObject, opaqueRules } from '../session/json.ts';
import { limits } from '../session/limits.ts';
import { checkBytes } from '../session/parse-turn.ts';
import type { SessionTurn } from '../session/turn.ts';
import type { GroupMember, ManagerState } from './agent.ts';
import type { GroupParts } from './group-parts.ts';
import { GroupView } from './group-view.ts';
import type { GroupEndReason, RunState } from './run-state.ts';
import type { FallbackReason, Selection } from './turn-manager.ts';

/** What a run does next: it has somebody to speak, or it is over. */
export interface Next {
  readonly state: RunState;
  readonly fallback?: FallbackReason | undefined;
}

/**
 * Decides what follows a step that is done: first whether to stop, so before anybody is paid for; then who speaks.
 * At once, if everybody who is asked answers at once.
 *
 * @param coming turns that are about to be stored
 * @param state with `last` and `step` already those after the step
 */
export function chooseNext(
  parts: GroupParts,
  agents: readonly GroupMember[],
  sessionId: string,
  stored: readonly SessionTurn[],
  coming: readonly SessionTurn[],
  state: RunState,
): Next | Promise<Next> {
  const view = new GroupView(sessionId, agents, stored, coming, state);
  const verdict = parts.stopWhen.judge(view);
  return verdict instanceof Promise
    ? verdict.then((said) => go(parts, view, state, said))
    : go(parts, view, state, verdict);
}

function go(
  parts: GroupParts,
  view: GroupView,
  state: RunState,
  verdict: string | null,
): Next | Promise<Next> {
  if (verdict !== null) return over(state, 'stopped', verdict);
  if (state.step > state.maxSteps) return over(state, 'steps', `steps ${state.maxSteps}`);
  if (state.activeMs >= state.maxMs) return over(state, 'time', `time ${state.maxMs}`);
  const { last } = state;
  const given = last?.standIn ?? last?.handOver;
  if (typeof given === 'string') {
    return speaks(parts, state, { agent: given, state: state.manager, round: state.round });
  }
  if (last?.tools === true) return { state: { ...speaking(state), agent: last.agent } };
  const selected = atOnceOrLater(parts.turnManager.selectNext(view));
  return selected instanceof Promise
    ? selected.then((selection) => select(parts, state, view, selection))
    : select(parts, state, view, selected);
}

function select(parts: GroupParts, state: RunState, view: GroupView, given: unknown): Next {
  const selection = toSelection(given);
  if (selection.agent === null) return over(state, 'complete', null);
  const counted = Math.floor(view.selections / view.agents.length) + 1;
  const round = selection.round ?? counted;
  if (state.maxRounds !== null && round > state.maxRounds) {
    return over(state, 'rounds', `rounds ${state.maxRounds}`);
  }
  return speaks(parts, state, { ...selection, round });
}

function speaks(
  { seats }: GroupParts,
  state: RunState,
  { agent, fallback, round = state.round, state: manager = null }: Selection,
): Next {
  if (agent === null || !seats.has(agent)) {
    throw new SessionInputError(
      'turnManager',
      `it chose ${kindOf(agent)}, who is not in the group; there are ${[...seats.keys()].join(', ')}`,
    );
  }
  const selections = state.selections + 1;
  return { state: { ...speaking(state), agent, round, manager, selections }, fallback };
}

function speaking(state: RunState): RunState {
  return { ...state, status: 'running', phase: 'agent', recoveries: 0, decisions: [] };
}

/** The state of a run that is over. */
export function over(state: RunState, reason: GroupEndReason, detail: string | null): Next {
  return { state: { ...state, status: 'ended', agent: null, question: null, reason, detail } };
}

/** What a turn manager answered, copied. @throws SessionInputError */
function toSelection(given: unknown): Selection {
  if (given === null || typeof given === 'string') return { agent: given };
  if (!isPlainObject(given)) {
    throw new SessionInputError(
      'turnManager',
      `expected a name, a selection or null, got ${kindOf(given)}`,
    );
  }
  const { agent, fallback, round, state } = given as { [K in keyof Selection]: Selection[K] };
  if (agent !== null && typeof agent !== 'string') {
    throw new SessionInputError(
      'turnManager.agent',
      `expected a name or null, got ${kindOf(agent)}`,
    );
  }
  if (round !== undefined && (!Number.isSafeInteger(round) || round < 1)) {
    throw new SessionInputError('turnManager.round', `expected 1 or more, got ${kindOf(round)}`);
  }
  return {
    agent,
    fallback,
    ...(round === undefined ? {} : { round }),
    state: copyState(state ?? null),
  };
}

/** It is written anew with each step, so it has the limit of variables. @throws SessionInputError, SessionLimitError */
function copyState(state: unknown): ManagerState {
  const path = 'turnManager.state';
  const copy = copyJson(state, path, opaqueRules(limits.depth));
  checkBytes(JSON.stringify(copy), path, 'variablesBytes');
  return copy;
}
