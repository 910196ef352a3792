import type { SessionTurn } from '../session/turn.ts';

/** What a pruner may keep: a number of turns, of tokens, or both. */
export interface PruneBudget {
  /** Turns, system turns among them. */
  readonly maxTurns?: number | undefined;
  readonly maxTokens?: number | undefined;
  /** What keeping a turn costs; its text and four tokens more if it is left out. */
  readonly weigh?: ((turn: SessionTurn) => TurnWeight) | undefined;
}

/** What a turn takes of a budget. Calls with their results come to a pruner as one turn that weighs several. */
export interface TurnWeight {
  readonly tokens: number;
  readonly turns: number;
}

/** Chooses what of a history fits a query and a budget. */
export interface ContextPruner {
  /**
   * The turns to keep: some of `history`, in its order. System turns stay, whatever they cost; the others stay
   * within what is left.
   */
  prune(
    history: readonly SessionTurn[],
    query: string,
    budget: PruneBudget,
  ): readonly SessionTurn[] | Promise<readonly SessionTurn[]>;
}

/** A pruner that answers at once. */
export interface SyncContextPruner extends ContextPruner {
  prune(
    history: readonly SessionTurn[],
    query: string,
    budget: PruneBudget,
  ): readonly SessionTurn[];
}
