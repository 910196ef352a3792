import { SessionConflictError, SessionInputError } from '../errors.ts';
import type { Engine } from '../manager/engine.ts';
import { kindOf, parseTimelineId, timelineId } from '../session/ids.ts';
import { equalJson, type JsonObject, type JsonValue, setOwn } from '../session/json.ts';
import { parseVariablesPatch } from '../session/parse-patch.ts';
import { readStored } from '../session/read-stored.ts';
import type { SessionRow, VariablesVersion } from '../store/rows.ts';
import type { Tail } from '../timeline/tail.ts';

/** A variable that both sides changed to different values. A value that is absent was not set there. */
export interface MergeConflict {
  readonly key: string;
  /** Where both sides started from. */
  readonly base?: JsonValue;
  readonly parent?: JsonValue;
  readonly branch?: JsonValue;
  /** What stands there now. */
  readonly merged?: JsonValue;
}

/**
 * Who wins where both sides changed a variable: the branch, which is the default, or the parent; or that the merge
 * is refused; or a function that answers the value, undefined to unset the key.
 */
export type OnConflict =
  | 'branch'
  | 'parent'
  | 'error'
  | ((conflict: MergeConflict) => JsonValue | undefined | Promise<JsonValue | undefined>);

/** @throws SessionInputError */
export function parseOnConflict(value: unknown): OnConflict {
  if (value === undefined) return 'branch';
  if (value === 'branch' || value === 'parent' || value === 'error') return value;
  if (typeof value === 'function') return value as OnConflict;
  throw new SessionInputError(
    'onConflict',
    `expected 'branch', 'parent', 'error' or a function, got ${kindOf(value)}`,
  );
}

/** What has to change in the parent's variables, and where both sides disagreed. */
export interface MergedVariables {
  readonly set: JsonObject;
  readonly unset: readonly string[];
  readonly conflicts: readonly MergeConflict[];
}

/**
 * Merges variables key by key: what only the branch changed is taken, what only the parent changed stays.
 *
 * @throws SessionConflictError with reason `variables` if there is a conflict and `onConflict` is `error`
 */
export async function mergeVariables(
  row: SessionRow,
  sides: { readonly base: JsonObject; readonly parent: JsonObject; readonly branch: JsonObject },
  onConflict: OnConflict,
): Promise<MergedVariables> {
  const set: Record<string, JsonValue> = {};
  const unset: string[] = [];
  const conflicts: MergeConflict[] = [];
  const put = (key: string, value: JsonValue | undefined): void => {
    if (value !== undefined) setOwn(set, key, value);
    else if (Object.hasOwn(sides.parent, key)) unset.push(key);
  };
  for (const key of new Set([...Object.keys(sides.branch), ...Object.keys(sides.base)])) {
    const [base, parent, branch] = [sides.base, sides.parent, sides.branch].map((side) =>
      Object.hasOwn(side, key) ? side[key] : undefined,
    );
    if (equalJson(branch, base) || equalJson(branch, parent)) continue;
    if (equalJson(parent, base)) {
      put(key, branch);
      continue;
    }
    const conflict = conflictOf(key, { base, parent, branch });
    const merged = await resolve(conflict, onConflict);
    conflicts.push(Object.freeze(withValue(conflict, 'merged', merged)));
    if (!equalJson(merged, parent)) put(key, merged);
  }
  if (onConflict === 'error' && conflicts.length > 0) {
    const keys = conflicts.map(({ key }) => kindOf(key)).slice(0, 5);
    const more = conflicts.length > keys.length ? ' and others' : '';
    throw new SessionConflictError(
      'variables',
      row.sessionId,
      `both sides changed the variables ${keys.join(', ')}${more}; say with onConflict who wins`,
      row,
    );
  }
  return { set, unset, conflicts };
}

function conflictOf(
  key: string,
  values: Readonly<Record<'base' | 'parent' | 'branch', JsonValue | undefined>>,
): MergeConflict {
  let conflict: MergeConflict = { key };
  for (const side of ['base', 'parent', 'branch'] as const) {
    conflict = withValue(conflict, side, values[side]);
  }
  return conflict;
}

function withValue(
  conflict: MergeConflict,
  name: 'base' | 'parent' | 'branch' | 'merged',
  value: JsonValue | undefined,
): MergeConflict {
  return value === undefined ? conflict : { ...conflict, [name]: value };
}

async function resolve(
  conflict: MergeConflict,
  onConflict: OnConflict,
): Promise<JsonValue | undefined> {
  if (typeof onConflict !== 'function') {
    return onConflict === 'branch' ? conflict.branch : conflict.parent;
  }
  const value: unknown = await onConflict(Object.freeze(conflict));
  if (value === undefined) return undefined;
  const { set } = parseVariablesPatch({ [conflict.key]: value }, undefined);
  return JSON.parse(set.get(conflict.key) ?? 'null') as JsonValue;
}

/**
 * The variables from which both sides started: what the newest merge of this branch took in, if the parent's history
 * still tells of it; else those with which the branch began, if it is there that the two part; else those right after
 * the last turn that both have.
 */
export async function baseVariables(
  engine: Engine,
  branch: SessionRow,
  parentTail: Tail,
  branchTail: Tail,
): Promise<JsonObject> {
  const notes = parentTail.notes.toReversed();
  const note = notes.find(({ merged }) => merged.sessionId === branch.sessionId);
  if (note !== undefined) return at(engine, note.merged.point.variables);
  const common = await branchTail.history.point(parentTail.common);
  for (const tail of [branchTail, parentTail]) {
    const start = await startOf(engine, tail, common);
    if (start !== null) return start;
  }
  return at(engine, common.variables);
}

/** The variables with which the session began that goes on from the common point, if it began there. */
async function startOf(
  engine: Engine,
  tail: Tail,
  common: { readonly timelineId: string; readonly seq: number },
): Promise<JsonObject | null> {
  const next = tail.segments[0]?.timelineId ?? tail.history.timeline.timelineId;
  const first = timelineId(parseTimelineId(next).sessionId, 1);
  const [timeline] = await engine.store.timelines([first]);
  const base = timeline?.base;
  if (base?.timelineId !== common.timelineId || base.seq !== common.seq) return null;
  return at(engine, { timelineId: first, position: common.seq * 2, revision: 1 });
}

async function at(engine: Engine, version: VariablesVersion | null): Promise<JsonObject> {
  const found = version === null ? null : await engine.store.variables(version);
  return found === null ? {} : parse(found.json, found.at.timelineId);
}

function parse(json: string, place: string): JsonObject {
  return readStored(json, `the variables of '${place}'`) as JsonObject;
}
