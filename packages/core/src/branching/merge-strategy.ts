import type { JsonObject } from '../session/json.ts';
import type { SessionPosition } from '../session/state.ts';
import type { SessionTurn, TurnInput } from '../session/turn.ts';

/** Which turns of a history to read: seqs `from` to `to`, both included. */
export interface SideTurnsOptions {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** One of the two histories of a merge, as it was when the merge began. */
export interface MergeSide {
  readonly sessionId: string;
  readonly head: SessionPosition;
  readonly variables: JsonObject;
  /** Turns in order of seq, read a page at a time. */
  turns(options?: SideTurnsOptions): AsyncIterable<SessionTurn>;
  /** The newest turn with this id in the history, or null. */
  find(turnId: string): Promise<SessionTurn | null>;
}

/** What a strategy decides on. */
export interface MergeSides {
  readonly parent: MergeSide;
  readonly branch: MergeSide;
  /** The last point that both histories have. */
  readonly common: SessionPosition;
  /** The variables from which changes on both sides are counted. */
  readonly variables: JsonObject;
  /** The turns that the branch has after the common point and the parent has not, in the branch's order. */
  missing(): AsyncIterable<SessionTurn>;
}

/**
 * A turn that a merge brings: one of the branch, the very object that was read from it, which becomes a copy unless
 * the parent has it already; or a new one, and the turns of the branch that it stands for.
 */
export type MergeTurn =
  | SessionTurn
  | {
      /** Without a `turnId`, which it is given. */
      readonly turn: Omit<TurnInput, 'turnId'>;
      readonly standsFor?: readonly SessionTurn[] | undefined;
    };

/** What a merge brings. */
export interface MergeResult {
  /** In the order in which they come behind the parent's. */
  readonly turns: Iterable<MergeTurn> | AsyncIterable<MergeTurn>;
  /**
   * Variables to set and to unset. With both left out they are merged key by key from where they were the same, and
   * `onConflict` decides.
   */
  readonly variables?: object | undefined;
  readonly unset?: readonly string[] | undefined;
}

/** Decides what a merge brings. Called again if the parent moved meanwhile; turns that the parent only added do not. */
export interface MergeStrategy {
  merge(sides: MergeSides): MergeResult | Promise<MergeResult>;
}

/** Brings each turn of the branch that the parent has not; the default. */
export class AppendMerge implements MergeStrategy {
  merge(sides: MergeSides): MergeResult {
    return { turns: sides.missing() };
  }
}
