import type { JsonObject, JsonValue } from '@lexigram/ai-session';
import type { Id } from '../names.ts';
import type { ModelTurn } from './turn.ts';

/** The variables as one patch left them. The object itself is the version: equal values may be two versions. */
export interface Version {
  readonly values: JsonObject;
}

/** A change of top-level keys. */
export interface Patch {
  readonly set: Readonly<Record<string, JsonValue>>;
  readonly unset: readonly string[];
}

/** A whole history, copied: nothing in it is shared with another one but the turns themselves. */
export interface History {
  /** From seq 1. */
  readonly turns: readonly ModelTurn[];
  /** The variables right after turn n, before later patches that stand alone; at 0 the first ones. */
  readonly versions: readonly Version[];
  /** What merges took in, oldest first. */
  readonly merges: readonly MergeNote[];
}

/** What a merge took in of a session: its variables then. */
interface MergeNote {
  readonly label: string;
  readonly values: JsonObject;
  /** The last seq that it brought, or where it stands if it brought variables alone. */
  readonly seq: number;
  readonly turns: number;
}

/** A timeline: a history that goes on, and the variables at its end. */
export interface ModelTimeline {
  readonly id: Id;
  readonly turns: ModelTurn[];
  readonly versions: Version[];
  readonly merges: MergeNote[];
  latest: Version;
}

export function newTimeline(id: Id, history: History, latest: Version): ModelTimeline {
  const { merges, turns, versions } = history;
  return { id, turns: [...turns], versions: [...versions], merges: [...merges], latest };
}

/** A copy of a history up to a seq, that one included: as it was right after the turn there. */
export function upTo(history: History, seq: number): History {
  return {
    turns: history.turns.slice(0, seq),
    versions: history.versions.slice(0, seq + 1),
    merges: history.merges.filter((note) => note.seq < seq || (note.seq === seq && note.turns > 0)),
  };
}

/** A copy of a whole history, up to where it stands now. */
export function whole({ merges, turns, versions }: History): History {
  return { turns: [...turns], versions: [...versions], merges: [...merges] };
}

/** The variables right after a seq. */
export function versionAt(history: History, seq: number): Version {
  return history.versions[seq] as Version;
}

export function patched(values: JsonObject, patch: Patch): JsonObject {
  const next: Record<string, JsonValue> = { ...values, ...patch.set };
  for (const key of patch.unset) delete next[key];
  return next;
}
