import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import type { TurnInput } from './turn-input.ts';

/** Any JSON value. */
export type Json = NonNullable<TurnInput['metadata']>[string];
type JsonObject = NonNullable<TurnInput['metadata']>;

/** One message as the data files write it: the fields that are read here, and whatever else a source has. */
export interface SourceMessage {
  readonly id: string;
  /** Only in trees: the id of the message that this one follows. */
  readonly parent?: string | null;
  readonly role: TurnInput['role'];
  readonly content: string | null | readonly Json[];
  readonly name?: string;
  readonly tool_calls?: readonly SourceToolCall[];
  readonly tool_call_id?: string;
  readonly is_error?: boolean;
  readonly model?: string;
  readonly provider?: string;
  readonly thinking?: string;
  readonly agent_id?: string;
  readonly api_message_id?: string;
  readonly stopReason?: string;
  readonly timestamp?: string;
  /** Seconds. */
  readonly timestamp_unix?: number;
  readonly usage?: JsonObject;
  readonly [field: string]: Json | undefined;
}

/** A call of a tool in the manner of OpenAI. `arguments` is what the model sent: mostly JSON, not always. */
type SourceToolCall = {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: Json };
};

/** One conversation as a line of a data file has it. */
export interface SourceRecord {
  readonly id: string;
  readonly source: string;
  readonly source_path: string;
  readonly commit: string;
  readonly license: string;
  readonly kind: string;
  readonly lang?: string;
  readonly parent_session?: string;
  readonly meta?: JsonObject;
  /** The record's `messages` or `nodes`, in log order. */
  readonly messages: readonly SourceMessage[];
  /** Whether messages name the one they follow; else each follows the one before it. */
  readonly tree: boolean;
}

/** A record with the place it was read from. */
export interface PlacedRecord {
  readonly record: SourceRecord;
  /** The name of its file. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The line itself, without its end. */
  readonly text: string;
}

/** The data is not what it has to be. Nothing was skipped or repaired. */
export class ConversationDataError extends Error {
  readonly code = 'CONVERSATION_DATA';
  /** Where the fault is, like `trees.jsonl:3 message m7`. */
  readonly place: string;

  constructor(place: string, problem: string, options?: { readonly cause?: unknown }) {
    super(`Unusable conversation data at ${place}: ${problem}`, options);
    this.name = 'ConversationDataError';
    this.place = place;
  }
}

/**
 * The records of one JSONL file, a line at a time.
 *
 * @throws ConversationDataError for a line that is not UTF-8, not JSON or not a conversation, and for text
 * with a lone surrogate or U+0000, which no store keeps.
 */
export async function* readRecords(path: string): AsyncGenerator<PlacedRecord> {
  const file = basename(path);
  // A fatal decoder: bytes that are no UTF-8 must not turn into U+FFFD. With ignoreBOM it drops nothing.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let line = 0;
  for await (const bytes of readLines(path)) {
    line += 1;
    const place = `${file}:${line}`;
    let text: string;
    let value: Json;
    try {
      text = decoder.decode(bytes);
      value = JSON.parse(text);
    } catch (cause) {
      throw new ConversationDataError(place, 'the line is no JSON in UTF-8', { cause });
    }
    yield { record: parseRecord(value, place), file, line, text };
  }
}

/** The lines of a file. Only a line feed ends one: U+2028 may stand inside JSON text. */
async function* readLines(path: string): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [];
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...pieces, chunk.subarray(from, end)]);
      pieces = [];
      from = end + 1;
    }
    if (from < chunk.length) pieces.push(chunk.subarray(from));
  }
  if (pieces.length > 0) yield Buffer.concat(pieces);
}

const recordTexts = ['id', 'source', 'source_path', 'commit', 'license', 'kind'] as const;
const roles: ReadonlySet<Json | undefined> = new Set(['system', 'user', 'assistant', 'tool']);
const optionalFields: readonly (readonly [field: string, type: string])[] = [
  ['name', 'string'],
  ['tool_call_id', 'string'],
  ['is_error', 'boolean'],
  ['model', 'string'],
  ['provider', 'string'],
  ['thinking', 'string'],
  ['agent_id', 'string'],
  ['api_message_id', 'string'],
  ['stopReason', 'string'],
  ['timestamp', 'string'],
  ['timestamp_unix', 'number'],
];

function parseRecord(value: Json, place: string): SourceRecord {
  if (!isObject(value)) throw new ConversationDataError(place, 'the record is no object');
  checkText(value, place, 'record');
  for (const field of recordTexts) {
    if (typeof value[field] !== 'string') {
      throw new ConversationDataError(place, `'${field}' is no text`);
    }
  }
  for (const field of ['lang', 'parent_session']) {
    if (value[field] !== undefined && typeof value[field] !== 'string') {
      throw new ConversationDataError(place, `'${field}' is no text`);
    }
  }
  if (value['meta'] !== undefined && !isObject(value['meta'])) {
    throw new ConversationDataError(place, "'meta' is no object");
  }
  const list = value['nodes'] ?? value['messages'];
  if (!Array.isArray(list)) {
    throw new ConversationDataError(place, "has neither 'messages' nor 'nodes'");
  }
  const messages = list.map((message: Json, at) => parseMessage(message, `${place} message ${at}`));
  const tree = messages.some((message) => message.parent !== undefined);
  return { ...(value as unknown as SourceRecord), messages, tree };
}

function parseMessage(value: Json, place: string): SourceMessage {
  if (!isObject(value)) throw new ConversationDataError(place, 'is no object');
  const { id, parent, role, content, usage } = value;
  if (typeof id !== 'string') throw new ConversationDataError(place, "'id' is no text");
  if (parent !== undefined && parent !== null && typeof parent !== 'string') {
    throw new ConversationDataError(place, "'parent' is neither text nor null");
  }
  if (!roles.has(role)) throw new ConversationDataError(place, `the role ${role} is unknown`);
  if (content !== null && typeof content !== 'string' && !Array.isArray(content)) {
    throw new ConversationDataError(place, "'content' is neither text nor null nor blocks");
  }
  if (usage !== undefined && !isObject(usage)) {
    throw new ConversationDataError(place, "'usage' is no object");
  }
  for (const [field, type] of optionalFields) {
    if (value[field] !== undefined && typeof value[field] !== type) {
      throw new ConversationDataError(place, `'${field}' is no ${type}`);
    }
  }
  const calls = value['tool_calls'];
  if (calls !== undefined && !(Array.isArray(calls) && calls.every(isToolCall))) {
    throw new ConversationDataError(place, "'tool_calls' is no list of function calls");
  }
  return value as SourceMessage;
}

function isToolCall(value: Json): boolean {
  if (!isObject(value) || typeof value['id'] !== 'string') return false;
  const called = value['function'];
  return (
    isObject(called) && typeof called['name'] === 'string' && called['arguments'] !== undefined
  );
}

/** Whether a JSON value is an object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkText(value: Json, place: string, path: string): void {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) {
      throw new ConversationDataError(place, `${path} has a surrogate without its partner`);
    }
    if (value.includes('\0')) throw new ConversationDataError(place, `${path} has a U+0000`);
  } else if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) checkText(item, place, `${path}[${at}]`);
  } else if (isObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      checkText(key, place, `a key of ${path}`);
      checkText(member, place, `${path}.${key}`);
    }
  }
}
