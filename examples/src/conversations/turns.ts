import { contentOf } from './content.ts';
import {
  ConversationDataError,
  type Json,
  type SourceMessage,
  type SourceRecord,
} from './record.ts';
import type { TurnInput } from './turn-input.ts';
import { countedMessages, spentBy } from './usage.ts';

/** A turn and the one that it follows. */
export interface ConversationTurn {
  readonly turn: TurnInput & { readonly turnId: string };
  /** The `turnId` of the turn before it; null at the beginning, and where a compacted log begins anew. */
  readonly parent: string | null;
}

type TurnDraft = { -readonly [Field in keyof TurnInput]: TurnInput[Field] } & { turnId: string };

/**
 * A record's messages as turns, in log order, each after its parent.
 *
 * A message's id is its `turnId`. An id that comes again in one conversation gets `#2`, `#3` … and the
 * original in `metadata.source.id`; a parent means the nearest such message above. What a session has no
 * field for stands verbatim in `metadata.source`.
 *
 * @throws ConversationDataError for ids that no session takes, and for a parent that was not there yet.
 */
export function turnsOf(record: SourceRecord, place: string): readonly ConversationTurn[] {
  const counted = countedMessages(record.messages);
  const taken = new Set<string>();
  const latest = new Map<string, string>();
  let before: string | null = null;

  return record.messages.map((message) => {
    const at = `${place} message ${message.id}`;
    const turnId = freeId(message.id, taken);
    checkId(turnId, at);
    let parent = before;
    if (record.tree) {
      if (message.parent === undefined) throw new ConversationDataError(at, 'has no parent');
      parent = message.parent === null ? null : parentId(message.parent, latest, at);
    }
    taken.add(turnId);
    latest.set(message.id, turnId);
    before = turnId;
    return { turn: turnOf(record, message, turnId, counted.has(message), at), parent };
  });
}

function freeId(id: string, taken: ReadonlySet<string>): string {
  let free = id;
  for (let n = 2; taken.has(free); n += 1) free = `${id}#${n}`;
  return free;
}

function checkId(id: string, place: string): void {
  if (id.length < 1 || id.length > 128 || id.trim() !== id || /\p{Cc}/u.test(id)) {
    throw new ConversationDataError(
      place,
      'its id is not 1–128 characters without control characters and without a space at an end',
    );
  }
}

function parentId(id: string, latest: ReadonlyMap<string, string>, place: string): string {
  const parent = latest.get(id);
  if (parent !== undefined) return parent;
  throw new ConversationDataError(place, `its parent ${id} does not stand above it`);
}

function turnOf(
  record: SourceRecord,
  message: SourceMessage,
  turnId: string,
  counted: boolean,
  place: string,
): TurnDraft {
  const turn: TurnDraft = { turnId, role: message.role, content: contentOf(message) };
  const { agent, name } = speakerOf(record.kind, message);
  if (agent !== undefined) turn.agent = agent;
  if (name !== undefined) turn.name = name;
  if (message.tool_calls !== undefined) {
    turn.toolCalls = message.tool_calls.map(({ id, function: called }) => ({
      id,
      name: called.name,
      arguments: called.arguments,
    }));
  }
  if (message.tool_call_id !== undefined) turn.toolCallId = message.tool_call_id;
  if (message.is_error !== undefined) turn.isError = message.is_error;
  // An answer that broke off with an error is no more complete than one that was stopped.
  if (message.stopReason === 'aborted' || message.stopReason === 'error') turn.state = 'aborted';
  const model = modelOf(record, message);
  if (model !== undefined) turn.model = model;
  const provider = message.provider ?? makerOf(model);
  if (provider !== undefined) turn.provider = provider;
  if (counted && message.usage !== undefined) {
    Object.assign(turn, spentBy(message.usage, place));
  }
  const time = timeOf(message, place);
  if (time !== undefined) turn.timestamp = time;
  const rest = unmapped(message, turn);
  if (Object.keys(rest).length > 0) turn.metadata = { source: rest };
  return turn;
}

interface Speaker {
  readonly agent?: string;
  readonly name?: string;
}

/**
 * Who spoke. In runs of agents the field that names one stands on every line; it is the speaker where an
 * agent answers or its tool does. Elsewhere `name` is the person, or the tool.
 */
function speakerOf(kind: string, { role, name, agent_id }: SourceMessage): Speaker {
  const byAgent = role === 'assistant' || role === 'tool';
  switch (kind) {
    case 'multi_agent':
      if (name === undefined) return {};
      return byAgent ? { agent: name } : { name };
    case 'coding_agent':
      return byAgent && name !== undefined ? { agent: name } : {};
    case 'subagent_session':
      return byAgent && agent_id !== undefined ? { agent: agent_id } : {};
    default:
      return name === undefined ? {} : { name };
  }
}

function modelOf(record: SourceRecord, message: SourceMessage): string | undefined {
  if (message.model !== undefined || message.role !== 'assistant') return message.model;
  const model = record.meta?.['model'];
  return typeof model === 'string' ? model : undefined;
}

function makerOf(model: string | undefined): string | undefined {
  if (model?.startsWith('claude-')) return 'anthropic';
  return model?.startsWith('gpt-') ? 'openai' : undefined;
}

function timeOf(message: SourceMessage, place: string): string | undefined {
  const { timestamp, timestamp_unix: seconds } = message;
  const given = timestamp ?? (seconds === undefined ? undefined : seconds * 1000);
  if (given === undefined) return undefined;
  const time = new Date(given);
  if (Number.isNaN(time.getTime())) {
    throw new ConversationDataError(place, `its time ${given} is no time`);
  }
  return time.toISOString();
}

/** The fields of a message that its turn has under a name of its own, or that only repeat it. */
const mappedFields: ReadonlySet<string> = new Set([
  'id',
  'parent',
  'role',
  'content',
  'name',
  'tool_calls',
  'tool_call_id',
  'is_error',
  'model',
  'provider',
  'thinking',
  'agent_id',
  'timestamp',
  'timestamp_unix',
  'usage',
  // SWE-agent: stands word for word in the content.
  'thought',
]);

function unmapped(message: SourceMessage, turn: TurnDraft): { readonly [field: string]: Json } {
  const rest: Record<string, Json> = {};
  if (message.id !== turn.turnId) rest['id'] = message.id;
  for (const field of ['name', 'agent_id'] as const) {
    const value = message[field];
    if (value !== undefined && turn.name !== value && turn.agent !== value) rest[field] = value;
  }
  for (const [field, value] of Object.entries(message)) {
    if (!mappedFields.has(field) && value !== undefined) rest[field] = value;
  }
  return rest;
}
