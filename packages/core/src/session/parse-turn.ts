import { SessionInputError, SessionLimitError } from '../errors.ts';
import { checkName, checkPrintable, kindOf, newTurnId, shapeOf } from './ids.ts';
import {
  checkText,
  copyJson,
  exceedsBytes,
  isPlainObject,
  type JsonObject,
  type JsonRules,
  mapItems,
  opaqueRules,
  protoKey,
  utf8Bytes,
} from './json.ts';
import { limits } from './limits.ts';
import { toNanoUsd, toUsd } from './money.ts';
import { readInput } from './read-input.ts';
import { parseTime } from './time.ts';
import type { ContentPart, SessionTurn, ToolCall, TurnRole, Usage } from './turn.ts';

/** A turn that passed the door: what the store keeps of it, and what the caller is answered. */
export interface TurnDraft {
  readonly turnId: string;
  /** Whether the caller chose the id; only then can it be a repeat. */
  readonly chosen: boolean;
  /** All fields but id, seq and time, as compact JSON; `cost` in nano-dollars. */
  readonly body: string;
  /** The body as it was given, if a price was filled in since. */
  readonly given?: string;
  readonly tokens: number;
  /** Nano-dollars. */
  readonly cost: number;
  /** Milliseconds, or null for the store's time. */
  readonly at: number | null;
  /** The same fields as frozen values, `cost` in USD. */
  readonly fields: TurnFields;
}

type TurnFields = Omit<SessionTurn, 'turnId' | 'seq' | 'timestamp' | 'origin'>;

const roles: ReadonlySet<unknown> = new Set(['system', 'user', 'assistant', 'tool']);
const turnKeys: ReadonlySet<string> = new Set([
  'turnId',
  'role',
  'content',
  'agent',
  'name',
  'toolCalls',
  'toolCallId',
  'isError',
  'state',
  'model',
  'provider',
  'usage',
  'cost',
  'visibleTo',
  'hiddenFrom',
  'metadata',
  'timestamp',
]);
const usageKeys: readonly (keyof Usage)[] = [
  'inputTokens',
  'outputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'totalTokens',
];
const usageKeySet: ReadonlySet<string> = new Set(usageKeys);
const toolCallKeys: ReadonlySet<string> = new Set(['id', 'name', 'arguments']);

// The turn is one level, a list in it the next, so a value in a part's `extra` has 29 left.
const rulesAt = (level: number): JsonRules => ({
  depth: limits.depth - level,
  refusedKeys: protoKey,
});
const metadataRules = rulesAt(1);
const partRules = rulesAt(3);
const argumentRules = opaqueRules(limits.depth - 3);

/**
 * Copies and checks a turn that a caller gave. Fields come out in one fixed order, so that the same turn
 * always has the same body.
 *
 * @throws SessionInputError, SessionLimitError
 */
export function parseTurn(input: unknown, path = 'turn'): TurnDraft {
  return readInput(path, () => {
    if (!isPlainObject(input)) {
      throw new SessionInputError(path, `expected an object, got ${shapeOf(input)}`);
    }
    checkKeys(input, turnKeys, path);
    return parseFields(readFields(input), path);
  });
}

/** The fields, each read once: a getter may answer something else the next time. */
function readFields(input: Record<string, unknown>): { [K in keyof SessionTurn]?: unknown } {
  return {
    turnId: input.turnId,
    role: input.role,
    content: input.content,
    agent: input.agent,
    name: input.name,
    toolCalls: input.toolCalls,
    toolCallId: input.toolCallId,
    isError: input.isError,
    state: input.state,
    model: input.model,
    provider: input.provider,
    usage: input.usage,
    cost: input.cost,
    visibleTo: input.visibleTo,
    hiddenFrom: input.hiddenFrom,
    metadata: input.metadata,
    timestamp: input.timestamp,
  };
}

function parseFields(given: { [K in keyof SessionTurn]?: unknown }, path: string): TurnDraft {
  if (!roles.has(given.role)) {
    throw new SessionInputError(
      `${path}.role`,
      `expected 'system', 'user', 'assistant' or 'tool', got ${kindOf(given.role)}`,
    );
  }
  const fields: { -readonly [K in keyof TurnFields]: TurnFields[K] } = {
    role: given.role as TurnRole,
    content: readInput(`${path}.content`, () => parseContent(given.content, path)),
  };
  if (given.agent !== undefined) fields.agent = checkName(given.agent, `${path}.agent`);
  if (given.name !== undefined) fields.name = checkPrintable(given.name, `${path}.name`);
  if (given.toolCalls !== undefined) {
    const at = `${path}.toolCalls`;
    fields.toolCalls = readInput(at, () => parseToolCalls(given.toolCalls, at));
  }
  if (given.toolCallId !== undefined) {
    fields.toolCallId = checkPrintable(given.toolCallId, `${path}.toolCallId`, 'toolCall');
  }
  if (given.isError !== undefined) {
    if (typeof given.isError !== 'boolean') {
      throw new SessionInputError(
        `${path}.isError`,
        `expected true or false, got ${kindOf(given.isError)}`,
      );
    }
    fields.isError = given.isError;
  }
  if (given.state !== undefined) {
    if (given.state !== 'complete' && given.state !== 'aborted') {
      throw new SessionInputError(
        `${path}.state`,
        `expected 'complete' or 'aborted', got ${kindOf(given.state)}`,
      );
    }
    fields.state = given.state;
  }
  if (given.model !== undefined) fields.model = checkPrintable(given.model, `${path}.model`);
  if (given.provider !== undefined) {
    fields.provider = checkPrintable(given.provider, `${path}.provider`);
  }
  if (given.usage !== undefined) {
    const at = `${path}.usage`;
    fields.usage = readInput(at, () => parseUsage(given.usage, at));
  }
  let cost = 0;
  if (given.cost !== undefined) {
    cost = parseCost(given.cost, `${path}.cost`);
    fields.cost = cost;
  }
  if (given.visibleTo !== undefined) {
    fields.visibleTo = parseAgents(given.visibleTo, `${path}.visibleTo`);
  }
  if (given.hiddenFrom !== undefined) {
    fields.hiddenFrom = parseAgents(given.hiddenFrom, `${path}.hiddenFrom`);
  }
  if (given.metadata !== undefined) {
    fields.metadata = parseObject(given.metadata, `${path}.metadata`, metadataRules);
  }
  const chosen = given.turnId !== undefined;
  const turnId = chosen ? checkName(given.turnId, `${path}.turnId`) : newTurnId();
  const at = given.timestamp === undefined ? null : parseTime(given.timestamp, `${path}.timestamp`);

  const body = toBody(fields, path);
  checkBytes(body, path, 'turnBytes');
  if (fields.cost !== undefined) fields.cost = toUsd(cost);
  return { turnId, chosen, body, tokens: fields.usage?.totalTokens ?? 0, cost, at, fields };
}

/** @throws SessionLimitError also if the text would be longer than an engine's longest */
function toBody(fields: object, path: string): string {
  try {
    return JSON.stringify(fields);
  } catch {
    const { turnBytes } = limits;
    throw new SessionLimitError(path, 'turnBytes', Number.POSITIVE_INFINITY, turnBytes, 'bytes');
  }
}

function checkKeys(value: object, known: ReadonlySet<string>, path: string): void {
  for (const key in value) {
    if (known.has(key)) continue;
    throw new SessionInputError(
      path,
      `has the unknown field ${kindOf(key)}; known are ${[...known].join(', ')}`,
    );
  }
}

function parseContent(value: unknown, path: string): string | readonly ContentPart[] {
  if (typeof value === 'string') return checkText(value, `${path}.content`);
  if (!Array.isArray(value)) {
    throw new SessionInputError(
      `${path}.content`,
      `expected a string or an array of parts, got ${shapeOf(value)}`,
    );
  }
  return mapItems(value, (part, i) => parsePart(part, `${path}.content[${i}]`));
}

const partKeys: Readonly<Record<ContentPart['type'], ReadonlySet<string>>> = {
  text: new Set(['type', 'text', 'extra']),
  reasoning: new Set(['type', 'text', 'signature', 'extra']),
  file: new Set(['type', 'mediaType', 'url', 'data', 'extra']),
  data: new Set(['type', 'name', 'json', 'extra']),
};

function parsePart(value: unknown, path: string): ContentPart {
  if (!isPlainObject(value)) {
    throw new SessionInputError(path, `expected an object, got ${shapeOf(value)}`);
  }
  const { type, ...given } = value;
  if (type !== 'text' && type !== 'reasoning' && type !== 'file' && type !== 'data') {
    throw new SessionInputError(
      `${path}.type`,
      `expected 'text', 'reasoning', 'file' or 'data', got ${kindOf(type)}`,
    );
  }
  checkKeys(given, partKeys[type], path);
  const extra =
    given.extra === undefined
      ? {}
      : { extra: parseObject(given.extra, `${path}.extra`, partRules) };
  const text = (key: string): string => parseText(given[key], `${path}.${key}`);
  switch (type) {
    case 'text':
      return Object.freeze({ type, text: text('text'), ...extra });
    case 'reasoning': {
      const signature = given.signature === undefined ? {} : { signature: text('signature') };
      return Object.freeze({ type, text: text('text'), ...signature, ...extra });
    }
    case 'file': {
      if ((given.url === undefined) === (given.data === undefined)) {
        throw new SessionInputError(path, "a file part has either 'url' or 'data'");
      }
      const where = given.url === undefined ? { data: text('data') } : { url: text('url') };
      const mediaType = checkPrintable(given.mediaType, `${path}.mediaType`);
      return Object.freeze({ type, mediaType, ...where, ...extra });
    }
    case 'data': {
      if (given.json === undefined) throw new SessionInputError(`${path}.json`, 'is missing');
      const name = checkPrintable(given.name, `${path}.name`);
      const json = copyJson(given.json, `${path}.json`, partRules);
      return Object.freeze({ type, name, json, ...extra });
    }
  }
}

function parseText(value: unknown, path: string): string {
  if (typeof value === 'string') return checkText(value, path);
  throw new SessionInputError(path, `expected a string, got ${shapeOf(value)}`);
}

function parseToolCalls(value: unknown, path: string): readonly ToolCall[] {
  const calls = parseArray(value, path, 'toolCalls', limits.toolCalls);
  return mapItems(calls, (call, i) => {
    const at = `${path}[${i}]`;
    if (!isPlainObject(call)) {
      throw new SessionInputError(at, `expected an object, got ${shapeOf(call)}`);
    }
    checkKeys(call, toolCallKeys, at);
    const { arguments: given, id, name } = call;
    if (given === undefined) {
      throw new SessionInputError(`${at}.arguments`, 'is missing; give a string or JSON');
    }
    return Object.freeze({
      id: checkPrintable(id, `${at}.id`, 'toolCall'),
      name: checkPrintable(name, `${at}.name`, 'toolCall'),
      arguments: copyJson(given, `${at}.arguments`, argumentRules),
    });
  });
}

function parseArray(value: unknown, path: string, limit: string, max: number): unknown[] {
  if (!Array.isArray(value)) {
    throw new SessionInputError(path, `expected an array, got ${shapeOf(value)}`);
  }
  if (value.length > max) throw new SessionLimitError(path, limit, value.length, max, 'items');
  return value;
}

function parseAgents(value: unknown, path: string): readonly string[] {
  return readInput(path, () => {
    const names = parseArray(value, path, 'agents', limits.agents);
    return mapItems(names, (name, i) => checkName(name, `${path}[${i}]`));
  });
}

/** @throws SessionLimitError if the text has more bytes than the limit of this name */
export function checkBytes(
  text: string,
  path: string,
  limit: 'turnBytes' | 'metadataBytes' | 'variablesBytes',
): void {
  const max = limits[limit];
  if (exceedsBytes(text, max)) {
    throw new SessionLimitError(path, limit, utf8Bytes(text), max, 'bytes');
  }
}

/** @throws SessionInputError if it is no JSON object. */
export function parseObject(value: unknown, path: string, rules: JsonRules): JsonObject {
  return readInput(path, () => {
    const copy = isPlainObject(value) ? copyJson(value, path, rules) : value;
    if (isPlainObject(copy)) return copy as JsonObject;
    throw new SessionInputError(path, `expected an object, got ${shapeOf(copy)}`);
  });
}

function parseUsage(value: unknown, path: string): Usage {
  if (!isPlainObject(value)) {
    throw new SessionInputError(path, `expected an object, got ${shapeOf(value)}`);
  }
  checkKeys(value, usageKeySet, path);
  const usage: { -readonly [K in keyof Usage]: Usage[K] } = {};
  for (const key of usageKeys) {
    const tokens = value[key];
    if (tokens === undefined) continue;
    if (!Number.isSafeInteger(tokens) || (tokens as number) < 0) {
      throw new SessionInputError(
        `${path}.${key}`,
        `expected a whole number of tokens from 0 up, got ${kindOf(tokens)}`,
      );
    }
    usage[key] = (tokens as number) + 0;
  }
  usage.totalTokens ??= (usage.inputTokens ?? 0) + (usage.outputTokens ?? 0);
  return Object.freeze(usage);
}

/** @returns nano-dollars */
function parseCost(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    throw new SessionInputError(path, `expected USD, a number from 0 up, got ${shapeOf(value)}`);
  }
  if (value > limits.turnCost) {
    throw new SessionLimitError(path, 'turnCost', value, limits.turnCost, 'USD');
  }
  return toNanoUsd(value) + 0;
}
