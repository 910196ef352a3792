import { SessionInputError, SessionLimitError } from '../errors.ts';
import { shapeOf } from '../session/ids.ts';
import {
  checkText,
  deepFreeze,
  type JsonObject,
  type JsonRules,
  prototypeKeys,
  utf8Bytes,
} from '../session/json.ts';
import { limits } from '../session/limits.ts';
import { checkOptions } from '../session/options.ts';
import { parseObject } from '../session/parse-turn.ts';
import { readStored } from '../session/read-stored.ts';
import { toIso } from '../session/time.ts';
import type { TurnRole } from '../session/turn.ts';
import type { RecordWrite } from '../store/port.ts';
import type { RecordRow } from '../store/rows.ts';

/** What a consolidation left of a session, and where it comes from. It goes with its session. */
export interface Memory {
  readonly sessionId: string;
  readonly content: string;
  /** The turns that it comes from, both included. */
  readonly fromSeq: number;
  readonly toSeq: number;
  /** Who said them, each role once. */
  readonly roles: readonly TurnRole[];
  /**
   * Whether all of it was said by the system itself. What users, tools and models said may try to give orders:
   * a memory of it is data for a model, never an instruction.
   */
  readonly trusted: boolean;
  readonly metadata: JsonObject;
  readonly createdAt: string;
}

type MemoryValue = Omit<Memory, 'sessionId' | 'trusted' | 'createdAt'>;

/** A memory as a consolidator gave it, checked. */
export type MemoryDraft = Omit<MemoryValue, 'roles'>;

const kind = 'memory';

/** @throws SessionInputError, SessionLimitError */
export function parseMemories(given: unknown, lastSeq: number): readonly MemoryDraft[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) {
    throw new SessionInputError('memories', `expected an array, got ${shapeOf(given)}`);
  }
  if (given.length > limits.memories) {
    throw new SessionLimitError('memories', 'memories', given.length, limits.memories, 'memories');
  }
  return given.map((memory, i) => parseMemory(memory, `memories[${i}]`, lastSeq));
}

const rules: JsonRules = {
  depth: limits.metadataDepth,
  limit: 'metadataDepth',
  refusedKeys: prototypeKeys,
};

function parseMemory(given: unknown, path: string, lastSeq: number): MemoryDraft {
  if (given === undefined) throw new SessionInputError(path, 'expected an object, got nothing');
  const { content, fromSeq, metadata, toSeq } = checkOptions(
    given,
    ['content', 'fromSeq', 'toSeq', 'metadata'],
    path,
  );
  if (typeof content !== 'string' || content === '') {
    throw new SessionInputError(`${path}.content`, `expected a text, got ${shapeOf(content)}`);
  }
  const from = parseSeq(fromSeq, `${path}.fromSeq`, 1, lastSeq);
  const to = parseSeq(toSeq, `${path}.toSeq`, from, lastSeq);
  const draft = {
    content: checkText(content, `${path}.content`),
    fromSeq: from,
    toSeq: to,
    metadata: parseObject(metadata ?? {}, `${path}.metadata`, rules),
  };
  const bytes = utf8Bytes(JSON.stringify(draft));
  if (bytes <= limits.memoryBytes) return draft;
  throw new SessionLimitError(path, 'memoryBytes', bytes, limits.memoryBytes, 'bytes');
}

function parseSeq(value: unknown, path: string, min: number, max: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) {
    return value as number;
  }
  throw new SessionInputError(path, `expected a whole number from ${min} to ${max}`);
}

/** The records of a session's memories; those that an earlier run left past them go. */
export function memoryRecords(
  memories: readonly MemoryValue[],
  before: number,
): readonly RecordWrite[] {
  const writes: RecordWrite[] = memories.map((memory, i) => ({
    kind,
    key: keyOf(i),
    value: JSON.stringify(memory),
  }));
  for (let i = memories.length; i < before; i++) writes.push({ kind, key: keyOf(i), delete: true });
  return writes;
}

function keyOf(i: number): string {
  return String(i + 1).padStart(4, '0');
}

export function readMemory(sessionId: string, record: RecordRow): Memory {
  const place = `memory ${record.key} of session '${sessionId}'`;
  const { content, fromSeq, metadata, roles, toSeq } = readValue(record, place);
  return Object.freeze({
    sessionId,
    content,
    fromSeq,
    toSeq,
    roles,
    trusted: roles.every((role) => role === 'system'),
    metadata,
    createdAt: toIso(record.createdAt),
  });
}

function readValue(record: RecordRow, place: string): MemoryValue {
  return deepFreeze(readStored(record.value, place)) as unknown as MemoryValue;
}
