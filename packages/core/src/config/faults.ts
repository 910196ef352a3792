import type { z } from 'zod';
import { kindOf, shapeOf } from '../session/ids.ts';
import { isPlainObject } from '../session/json.ts';
import { type ConfigField, fieldAt } from './fields.ts';
import { maskAddress } from './mask-address.ts';
import { nearest } from './nearest.ts';

/** One fault of a configuration: where, by the names in code, and what is wrong. */
export interface ConfigFault {
  readonly path: readonly string[];
  readonly message: string;
}

/** What a schema found, in our words: what is expected and what is there. A place has one fault, the first. */
export function toFaults(
  issues: readonly z.core.$ZodIssue[],
  input: unknown,
  fields: readonly ConfigField[],
): readonly ConfigFault[] {
  const seen = new Set<string>();
  return issues
    .flatMap((issue) => faultsOfIssue(issue, input, fields))
    .filter(({ path }) => {
      const key = JSON.stringify(path);
      return !seen.has(key) && seen.add(key);
    });
}

/** Says of a name that it is none of the known ones, and which may be meant; `start` goes before all of them. */
export function unknownField(name: string, known: readonly string[], start = ''): string {
  const near = nearest(name, known);
  const meant = near === undefined ? '' : `; did you mean '${start}${near}'?`;
  return `is not a field of the configuration${meant}`;
}

function faultsOfIssue(
  issue: z.core.$ZodIssue,
  input: unknown,
  fields: readonly ConfigField[],
): readonly ConfigFault[] {
  const path = issue.path.map(String);
  const value = issue.path.reduce<unknown>(
    (at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key],
    input,
  );
  if (issue.code === 'unrecognized_keys') {
    const known = path.length === 0 ? fields : (fieldAt(fields, path)?.fields ?? []);
    const names = known.map(({ name }) => name);
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: names.includes(key)
        ? `cannot stand beside ${names.filter((name) => name !== key).join(', ')}`
        : unknownField(key, names),
    }));
  }
  if (issue.code === 'invalid_union' && isPlainObject(value)) {
    return faultsOfUnion(issue, value, input, fields);
  }
  const orNone = fieldAt(fields, path)?.optional === true ? ', or null for none' : '';
  return [{ path, message: `${issue.message}${orNone}; got ${shownValue(path, value)}` }];
}

/** The faults beside the alternative that was meant: the last one of which a field is given. */
function faultsOfUnion(
  issue: z.core.$ZodIssueInvalidUnion,
  value: Readonly<Record<string, unknown>>,
  input: unknown,
  fields: readonly ConfigField[],
): readonly ConfigFault[] {
  const given = Object.keys(value);
  const meant =
    issue.errors.findLast((faults) => {
      const strange = faults.flatMap((one) => (one.code === 'unrecognized_keys' ? one.keys : []));
      return given.some((key) => !strange.includes(key));
    }) ?? issue.errors[0];
  return (meant ?? []).flatMap((one) =>
    faultsOfIssue({ ...one, path: [...issue.path, ...one.path] }, input, fields),
  );
}

/** A value as a message may show it: passwords are masked, and what a model is told is not shown. */
function shownValue(path: readonly string[], value: unknown): string {
  if (typeof value !== 'string') return kindOf(value);
  if (path[0] === 'database' || path[0] === 'cache') {
    return path.at(-1) === 'synchronous' ? kindOf(value) : maskAddress(value);
  }
  return path[0] === 'defaultSystemPrompt' ? shapeOf(value) : kindOf(value);
}
