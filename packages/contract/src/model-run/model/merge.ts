import type { JsonObject, JsonValue } from '@lexigram/ai-session';
import { Verbatim } from '../compare.ts';
import { closeIfFull } from './add-turns.ts';
import { swing } from './moves.ts';
import { capped, refuse } from './refusal.ts';
import { changed, type ModelSession, type PlainModel, requireStatus } from './session.ts';
import { type History, patched, versionAt, whole } from './timeline.ts';
import { firstOf, type ModelTurn } from './turn.ts';
import { stateView } from './views.ts';

/** Brings what the branch has and the parent has not. */
export function merge(
  model: PlainModel,
  parent: ModelSession,
  branch: ModelSession,
  winner: 'branch' | 'parent',
): object {
  if (parent === branch || parent.root !== branch.root) refuse('input');
  requireStatus(model, parent, ['active']);
  const [ours, theirs] = [parent.timeline, branch.timeline];
  const common = commonLength(ours, theirs);
  const there = new Set(ours.turns.map(firstOf));
  const missing = theirs.turns.slice(common).filter((turn) => !there.has(firstOf(turn)));
  const { conflicts, set, unset } = mergeVariables(
    baseOf(model, parent, branch, common),
    ours.latest.values,
    theirs.latest.values,
    winner,
  );
  const answer = { merged: missing.length, conflicts };
  if (missing.length + unset.length + Object.keys(set).length === 0) {
    return { state: stateView(model, parent), ...answer };
  }
  if (ours.turns.length + missing.length > model.config.maxTurnsPerSession) {
    capped('maxTurnsPerSession');
  }
  swing(parent, { history: whole(ours), latest: ours.latest });
  const { timeline } = parent;
  const patch = unset.length + Object.keys(set).length > 0;
  const after = patch ? { values: patched(ours.latest.values, { set, unset }) } : ours.latest;
  for (const [i, turn] of missing.entries()) {
    const seq = timeline.turns.length + 1;
    const place = { timeline: timeline.id, seq, holder: parent.label };
    timeline.turns.push({ ...turn, ...place, first: firstOf(turn) });
    timeline.versions.push(i === missing.length - 1 ? after : ours.latest);
  }
  timeline.latest = after;
  timeline.merges.push({
    label: branch.label,
    values: theirs.latest.values,
    seq: timeline.turns.length,
    turns: missing.length,
  });
  closeIfFull(model, parent);
  changed(model, parent);
  return { state: stateView(model, parent), ...answer };
}

/** How many turns two histories begin with in common: the very same ones. */
function commonLength(a: History, b: History): number {
  const differs = a.turns.findIndex((turn, i) => turn !== b.turns[i]);
  return differs === -1 ? a.turns.length : differs;
}

/** The variables from which changes on both sides are counted. */
function baseOf(
  model: PlainModel,
  parent: ModelSession,
  branch: ModelSession,
  common: number,
): JsonObject {
  const note = parent.timeline.merges.findLast(
    ({ label, seq, turns }) =>
      label === branch.label && (seq > common || (seq === common && turns === 0)),
  );
  if (note !== undefined) return note.values;
  const last = branch.timeline.turns[common - 1] ?? null;
  for (const side of [branch, parent]) {
    const next = side.timeline.turns[common];
    const holder = next === undefined ? side : holderOf(model, next);
    const { start } = holder;
    if (start?.seq === common && start.last === last) return start.values;
  }
  return versionAt(branch.timeline, common).values;
}

function holderOf(model: PlainModel, { holder }: ModelTurn): ModelSession {
  return model.sessions.find(({ label }) => label === holder) as ModelSession;
}

/** Key by key; who wins where both sides changed one. */
function mergeVariables(
  base: JsonObject,
  parent: JsonObject,
  branch: JsonObject,
  winner: 'branch' | 'parent',
): { readonly set: JsonObject; readonly unset: readonly string[]; readonly conflicts: object } {
  const set: Record<string, JsonValue> = {};
  const unset: string[] = [];
  const conflicts: Record<string, object> = {};
  for (const key of new Set([...Object.keys(branch), ...Object.keys(base)])) {
    const [was, ours, theirs] = [base[key], parent[key], branch[key]];
    if (same(theirs, was) || same(theirs, ours)) continue;
    const conflict = !same(ours, was);
    const value = conflict && winner === 'parent' ? ours : theirs;
    if (conflict) {
      conflicts[key] = {
        base: view(was),
        parent: view(ours),
        branch: view(theirs),
        merged: view(value),
      };
    }
    if (same(value, ours)) continue;
    if (value === undefined) unset.push(key);
    else set[key] = value;
  }
  return { set, unset, conflicts };
}

function view(value: JsonValue | undefined): Verbatim | undefined {
  return value === undefined ? undefined : new Verbatim(value);
}

/** The order of keys inside a value does not count. */
function same(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  return sorted(a) === sorted(b);
}

function sorted(value: JsonValue | undefined): string | undefined {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
