import { SessionInputError, SessionLimitError } from '../errors.ts';
import { kindOf } from './ids.ts';
import { checkText, type JsonObject, type JsonRules, mapItems, prototypeKeys } from './json.ts';
import { limits } from './limits.ts';
import { checkBytes, parseObject } from './parse-turn.ts';
import { readInput } from './read-input.ts';

/** A change of top-level keys: what is set, as JSON, and what is unset. */
export interface ParsedPatch {
  readonly set: ReadonlyMap<string, string>;
  readonly unset: readonly string[];
}

const variablesRules: JsonRules = {
  depth: limits.depth,
  bytes: 'variablesBytes',
  refusedKeys: prototypeKeys,
};
const metadataRules: JsonRules = {
  depth: limits.metadataDepth,
  limit: 'metadataDepth',
  bytes: 'metadataBytes',
  refusedKeys: prototypeKeys,
};

/** @throws SessionInputError, SessionLimitError */
export function parseVariablesPatch(patch: unknown, unset: unknown): ParsedPatch {
  return toPatch(parseObject(patch, 'variables', variablesRules), unset, 'variablesKeys');
}

/** @throws SessionInputError, SessionLimitError */
export function parseMetadataPatch(patch: unknown, unset: unknown): ParsedPatch {
  const metadata = checkMetadataKeys(parseObject(patch, 'metadata', metadataRules));
  return toPatch(metadata, unset, 'metadataKeys');
}

type KeyLimit = 'variablesKeys' | 'metadataKeys';

function toPatch(values: JsonObject, unset: unknown, limit: KeyLimit): ParsedPatch {
  const keys = readInput('unset', () => parseUnset(unset, limit));
  const set = new Map(Object.entries(values).map(([key, value]) => [key, JSON.stringify(value)]));
  for (const key of keys) {
    if (set.has(key))
      throw new SessionInputError('unset', `the key ${kindOf(key)} is set and unset`);
  }
  return { set, unset: keys };
}

function parseUnset(value: unknown, limit: KeyLimit): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    throw new SessionInputError('unset', `expected an array of keys, got ${kindOf(value)}`);
  }
  if (value.length > limits[limit]) {
    throw new SessionLimitError('unset', limit, value.length, limits[limit], 'keys');
  }
  return mapItems(value, (key, i) => {
    if (typeof key !== 'string') {
      throw new SessionInputError(`unset[${i}]`, `expected a string, got ${kindOf(key)}`);
    }
    return checkText(key, `unset[${i}]`);
  });
}

/** All of a session's metadata as JSON text. @throws SessionInputError, SessionLimitError */
export function parseMetadata(value: unknown): string {
  return checkMetadata(checkMetadataKeys(parseObject(value, 'metadata', metadataRules)));
}

/** All of a session's variables as JSON text, or null if there are none. */
export function parseVariables(value: unknown): string | null {
  const variables = parseObject(value, 'variables', variablesRules);
  const keys = Object.keys(variables).length;
  if (keys === 0) return null;
  if (keys > limits.variablesKeys) {
    throw new SessionLimitError('variables', 'variablesKeys', keys, limits.variablesKeys, 'keys');
  }
  const text = JSON.stringify(variables);
  checkBytes(text, 'variables', 'variablesBytes');
  return text;
}

function checkMetadataKeys(metadata: JsonObject): JsonObject {
  for (const key of Object.keys(metadata)) {
    if (key.length === 0 || key.length > limits.metadataKey) {
      throw new SessionInputError(
        'metadata',
        `a key has 1–${limits.metadataKey} characters, got ${kindOf(key)}`,
      );
    }
  }
  return metadata;
}

/** Metadata within its limits, as JSON text. @throws SessionLimitError */
export function checkMetadata(metadata: object): string {
  const keys = Object.keys(metadata).length;
  if (keys > limits.metadataKeys) {
    throw new SessionLimitError('metadata', 'metadataKeys', keys, limits.metadataKeys, 'keys');
  }
  const text = JSON.stringify(metadata);
  checkBytes(text, 'metadata', 'metadataBytes');
  return text;
}
