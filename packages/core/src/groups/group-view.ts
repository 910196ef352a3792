import { toUsd } from '../session/money.ts';
import type { SessionTurn } from '../session/turn.ts';
import type { GroupMember, ManagerState, Spent } from './agent.ts';
import type { LastStep, RunState } from './run-state.ts';

/** A run as those see it who choose the next speaker or judge whether to stop: an immutable snapshot. */
export class GroupView {
  readonly sessionId: string;
  readonly runId: string;
  readonly agents: readonly GroupMember[];
  /** Steps that are done. */
  readonly step: number;
  /** How often somebody was given the word: steps after an agent's own tools do not count. */
  readonly selections: number;
  /** The round under way, from 1. */
  readonly round: number;
  /** The step that was done last; null before the first. */
  readonly last: LastStep | null;
  readonly spent: Spent;
  /** Milliseconds that the run has worked, in all processes; waiting for a person does not count. */
  readonly elapsedMs: number;
  /** What the turn manager kept when it chose last; null before that. */
  readonly managerState: ManagerState;
  /** The history, and what is about to be written behind it: not joined, for that would cost its length each step. */
  readonly #stored: readonly SessionTurn[];
  readonly #coming: readonly SessionTurn[];
  readonly #length: number;
  readonly #from: number;

  constructor(
    sessionId: string,
    agents: readonly GroupMember[],
    stored: readonly SessionTurn[],
    coming: readonly SessionTurn[],
    state: RunState,
  ) {
    const { spent } = state;
    this.sessionId = sessionId;
    this.runId = state.runId;
    this.agents = agents;
    this.step = state.last?.step ?? 0;
    this.selections = state.selections;
    this.round = state.round;
    this.last = state.last;
    this.spent = { turns: spent.turns, tokens: spent.tokens, cost: toUsd(spent.cost) };
    this.elapsedMs = state.activeMs;
    this.managerState = state.manager;
    this.#stored = stored;
    this.#coming = coming;
    this.#length = stored.length;
    this.#from = state.from;
  }

  /** All turns of the history, also those that some agents do not see. */
  get turns(): readonly SessionTurn[] {
    return Object.freeze(this.#stored.slice(0, this.#length).concat(this.#coming));
  }

  /** The newest turn. */
  get latest(): SessionTurn | undefined {
    return this.#coming.at(-1) ?? this.#stored[this.#length - 1];
  }

  /** The turns of the last step, in order. */
  get lastTurns(): readonly SessionTurn[] {
    const found: SessionTurn[] = [];
    for (const turn of this.#newestFirst()) {
      if (stepOf(turn) !== `${this.runId}.${this.last?.step}`) break;
      found.push(turn);
    }
    return Object.freeze(found.reverse());
  }

  /** Who spoke in the run's last steps, newest first, at most `limit` names. */
  speakers(limit: number): readonly string[] {
    const names: string[] = [];
    let before = '';
    for (const turn of this.#newestFirst()) {
      if (turn.agent === undefined || stepOf(turn) === before) continue;
      before = stepOf(turn);
      if (names.push(turn.agent) >= limit) break;
    }
    return Object.freeze(names);
  }

  /** What agents said in this run, newest first: turns of the role `assistant` that have text. */
  *said(): Generator<SessionTurn, void, undefined> {
    for (const turn of this.#newestFirst()) {
      if (turn.role === 'assistant' && turn.agent !== undefined && textOf(turn) !== '') yield turn;
    }
  }

  /** The run's own turns; those that others added meanwhile are left out. */
  *#newestFirst(): Generator<SessionTurn, void, undefined> {
    const before = this.#length;
    for (let i = before + this.#coming.length - 1; i >= 0; i--) {
      const turn = (i < before ? this.#stored[i] : this.#coming[i - before]) as SessionTurn;
      if (turn.seq < this.#from) return;
      if (turn.turnId.startsWith(`${this.runId}.`)) yield turn;
    }
  }
}

/** The part of a turn's id that names its run and its step. */
function stepOf({ turnId }: SessionTurn): string {
  return turnId.slice(0, turnId.lastIndexOf('.'));
}

/** The text of a turn, without what is no text. */
export function textOf(turn: Pick<SessionTurn, 'content'>): string {
  const { content } = turn;
  if (typeof content === 'string') return content;
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('');
}
