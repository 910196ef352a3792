import type { JsonObject, SessionStatus } from '@lexigram/ai-session';
import type { Patch } from './model/timeline.ts';

/** Who calls: nobody in particular, the session's owner, or somebody else. */
type Via = 'anyone' | 'owner' | 'foreigner';

/** Which session: one in which the call makes sense, any one at all, or one that never was. */
export interface Target {
  readonly aim: 'fit' | 'any' | 'unknown';
  /** Counted from the newest. */
  readonly n: number;
  readonly via: Via;
}

/** A turn to add: a new one, under an id of its own or not, or once more one that is there. */
export interface TurnChoice {
  readonly id: 'generated' | 'chosen' | 'repeated' | 'changed' | 'inherited';
  readonly n: number;
  /** Which of the prepared bodies. */
  readonly body: number;
  readonly timestamp: string | undefined;
}

/** A turn to name: of the current history, left behind by a move, or of another session. */
export interface TurnPick {
  readonly from: 'history' | 'left' | 'elsewhere';
  readonly n: number;
}

/** A turn to select or to ask the siblings of. */
export interface SiblingPick {
  readonly from: 'history' | 'left' | 'family';
  readonly n: number;
}

export type Freshness = 'none' | 'fresh' | 'stale';

interface Adding {
  readonly patch: Patch | null;
  readonly head: Freshness;
  readonly seq: Freshness;
  /** Where a stale head comes from. */
  readonly n: number;
}

interface Patching {
  readonly patch: Patch;
  readonly revision: Freshness;
}

interface Paging {
  readonly limit: number;
}

/** What each kind of command says beside its target. Numbers are taken modulo what is there. */
export interface CommandFields {
  addTurn: Adding & { readonly turn: TurnChoice };
  addTurns: Adding & {
    readonly turns: readonly TurnChoice[];
    /** Whether to leave out what would pass the cap. */
    readonly fitted: boolean;
  };
  setVariables: Patching;
  setMetadata: Patching;
  suspend: object;
  resume: object;
  close: { readonly reason: string | null };
  delete: { readonly withBranches: boolean };
  checkpoint: { readonly label: string | null; readonly metadata: JsonObject };
  getCheckpoint: { readonly n: number };
  restore: { readonly n: number };
  deleteCheckpoint: { readonly n: number };
  rewind: { readonly to: TurnPick | { readonly seq: number; readonly beyond: boolean } };
  /** Several times in a row, to get to the cap of what is written. */
  edit: { readonly turn: TurnPick; readonly content: string; readonly times: number };
  regenerate: { readonly turn: TurnPick };
  undo: object;
  redo: object;
  fork: {
    readonly name: string;
    readonly at:
      | { readonly kind: 'head' }
      | { readonly kind: 'checkpoint'; readonly n: number; readonly ofAnother: boolean }
      | { readonly kind: 'turn'; readonly turn: TurnPick }
      | { readonly kind: 'seq'; readonly seq: number; readonly beyond: boolean };
  };
  /** The branch is one of the family, any session at all, or the parent itself. */
  merge: {
    readonly of: 'family' | 'any' | 'itself';
    readonly n: number;
    readonly winner: 'branch' | 'parent';
  };
  select: { readonly turn: SiblingPick };
  siblings: Paging & { readonly turn: SiblingPick };
  getState: { readonly last: 'all' | number | null };
  turns: {
    readonly from: number | undefined;
    readonly to: number | undefined;
    readonly limit: number | undefined;
    readonly order: 'asc' | 'desc' | undefined;
  };
  listCheckpoints: Paging;
  listBranches: Paging;
  invalid: { readonly n: number };
}

/** Commands on one session. */
export type SessionCommand = {
  [K in keyof CommandFields]: {
    readonly do: K;
    readonly target: Target;
    /** Whether the call has an `operationId`, so that it can be repeated later. */
    readonly operation: boolean;
  } & CommandFields[K];
}[keyof CommandFields];

export interface CreateCommand {
  readonly do: 'create';
  readonly owner: number;
  readonly id: 'generated' | 'chosen' | 'taken';
  readonly n: number;
  readonly scoped: boolean;
  readonly prompt: string | null | undefined;
  readonly metadata: JsonObject;
  readonly variables: JsonObject;
  readonly operation: boolean;
}

export interface ListCommand extends Paging {
  readonly do: 'list';
  readonly owner: number;
  /** The owner's own list, a list of one user in all tenants or in one, or of everybody. */
  readonly scope: 'owner' | 'user' | 'tenant' | 'all';
  readonly status: SessionStatus | undefined;
  readonly metadata: Readonly<Record<string, string | number | boolean | null>> | undefined;
}

export type AdvanceCommand = { readonly do: 'advance' } & (
  | { readonly ms: number }
  /** To so many milliseconds before the n-th session runs out. */
  | { readonly n: number; readonly before: number }
);

export interface RepeatCommand {
  readonly do: 'repeat';
  readonly n: number;
  /** Once more what was done, or something else under its id, or once more what was refused. */
  readonly request: 'same' | 'another' | 'refused';
}

/** Closes the store and opens again what it left, if it keeps anything. */
interface ReopenCommand {
  readonly do: 'reopen';
}

/** One step of a run, as data: what it means is settled when it is its turn. */
export type Command =
  | SessionCommand
  | CreateCommand
  | ListCommand
  | AdvanceCommand
  | RepeatCommand
  | ReopenCommand;

export type CommandKind = Command['do'];

/** Every kind there is. */
export const commandKinds: readonly CommandKind[] = Object.keys({
  create: 0,
  addTurn: 0,
  addTurns: 0,
  setVariables: 0,
  setMetadata: 0,
  suspend: 0,
  resume: 0,
  close: 0,
  delete: 0,
  checkpoint: 0,
  getCheckpoint: 0,
  listCheckpoints: 0,
  restore: 0,
  deleteCheckpoint: 0,
  rewind: 0,
  edit: 0,
  regenerate: 0,
  undo: 0,
  redo: 0,
  fork: 0,
  merge: 0,
  select: 0,
  siblings: 0,
  listBranches: 0,
  list: 0,
  getState: 0,
  turns: 0,
  repeat: 0,
  invalid: 0,
  advance: 0,
  reopen: 0,
} satisfies Record<CommandKind, 0>) as CommandKind[];
