import { SessionCorruptDataError } from '../errors.ts';
import { exceedsBytes, setOwn, utf8Bytes } from '../session/json.ts';
import { readStored } from '../session/read-stored.ts';
import type { VariablesPatch } from './port.ts';
import type { VariablesEntry } from './transaction.ts';

/** Patches between two whole copies, so that a version is read in a bounded number of rows. */
export const variablesInterval = 16;
/** Variables this short are written whole each time: one row to read. */
const wholeLength = 1_024;

/** Variables after a patch: replaced keys keep their place, new ones come last. */
export function patchVariables(
  json: string | null,
  patch: VariablesPatch,
): { json: string; bytes: number; keys: number } {
  const merged: Record<string, unknown> = json === null ? {} : JSON.parse(json);
  for (const [key, value] of patch.set) setOwn(merged, key, JSON.parse(value) as unknown);
  for (const key of patch.unset) delete merged[key];
  const text = JSON.stringify(merged);
  const bytes = exceedsBytes(text, patch.maxBytes) ? utf8Bytes(text) : text.length;
  return { json: text, bytes, keys: Object.keys(merged).length };
}

/** Whether a version is written whole. */
export function isWhole(json: string, depth: number): boolean {
  return depth >= variablesInterval || json.length <= wholeLength;
}

/** A patch as it is kept between whole copies. */
export function patchText(patch: VariablesPatch): string {
  const set = [...patch.set].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',');
  return `{"set":{${set}},"unset":${JSON.stringify(patch.unset)}}`;
}

/**
 * The variables at the newest of `entries`, which come newest first and end at a whole copy.
 *
 * @throws SessionCorruptDataError if there is no whole copy among them
 */
export function foldVariables(entries: readonly VariablesEntry[]): string {
  const whole = entries.findIndex((entry) => entry.whole);
  const newest = entries[0];
  if (newest === undefined || whole === -1) {
    throw new SessionCorruptDataError(
      `variables of timeline '${newest?.at.timelineId ?? ''}'`,
      'no whole copy among the newest versions',
    );
  }
  const merged = readStored((entries[whole] as VariablesEntry).value, placeOf(newest));
  if (whole === 0) return newest.value;
  for (let i = whole - 1; i >= 0; i--) {
    const { set, unset } = readStored((entries[i] as VariablesEntry).value, placeOf(newest)) as {
      set: Record<string, unknown>;
      unset: string[];
    };
    for (const key of Object.keys(set)) setOwn(merged, key, set[key]);
    for (const key of unset) delete merged[key];
  }
  return JSON.stringify(merged);
}

function placeOf({ at }: VariablesEntry): string {
  return `variables of timeline '${at.timelineId}'`;
}
