import { ConversationDataError, isObject, type Json, type SourceMessage } from './record.ts';
import type { TurnInput } from './turn-input.ts';

type Usage = NonNullable<TurnInput['usage']>;

/** What a message used and cost. */
export interface Spent {
  readonly usage: Usage;
  /** USD. */
  readonly cost?: number;
}

/**
 * Which messages bring their usage. A log may write one answer of a model over several lines and repeat
 * its usage on each. It counts once, on the last line with the same `api_message_id`: the earlier lines were
 * written while the answer still came in and have a provisional number of output tokens; what went in is the
 * same on all of them.
 */
export function countedMessages(messages: readonly SourceMessage[]): ReadonlySet<SourceMessage> {
  const last = new Map<string, SourceMessage>();
  const counted = new Set<SourceMessage>();
  for (const message of messages) {
    if (message.usage === undefined) continue;
    if (message.api_message_id === undefined) counted.add(message);
    else last.set(message.api_message_id, message);
  }
  return counted.union(new Set(last.values()));
}

/**
 * The tokens and the price that a message states, in the words of a session. Three shapes occur:
 * `input_tokens` (Anthropic) and `input` (pi), both without the cached tokens, which are added; and
 * `prompt_tokens` (OpenAI), which has them in it.
 *
 * @throws ConversationDataError for any other shape, and for numbers that are no counts.
 */
export function spentBy(usage: NonNullable<SourceMessage['usage']>, place: string): Spent {
  if (usage['prompt_tokens'] !== undefined) return spentInOpenAiWords(usage, place);
  if (usage['input_tokens'] !== undefined) {
    return spentOf(place, {
      fresh: usage['input_tokens'],
      read: usage['cache_read_input_tokens'],
      written: usage['cache_creation_input_tokens'],
      output: usage['output_tokens'],
    });
  }
  if (usage['input'] !== undefined) {
    const spent = spentOf(place, {
      fresh: usage['input'],
      read: usage['cacheRead'],
      written: usage['cacheWrite'],
      output: usage['output'],
    });
    const cost = isObject(usage['cost']) ? usage['cost']['total'] : usage['cost'];
    if (cost === undefined) return spent;
    if (typeof cost !== 'number' || cost < 0) {
      throw new ConversationDataError(place, `the cost ${JSON.stringify(cost)} is no price`);
    }
    return { ...spent, cost };
  }
  const fields = Object.keys(usage).join(', ');
  throw new ConversationDataError(place, `usage with the fields ${fields} is of no known shape`);
}

interface SeparateTokens {
  readonly fresh: Json | undefined;
  readonly read: Json | undefined;
  readonly written: Json | undefined;
  readonly output: Json | undefined;
}

function spentOf(place: string, tokens: SeparateTokens): Spent {
  const cacheReadTokens = count(tokens.read ?? 0, place);
  const cacheWriteTokens = count(tokens.written ?? 0, place);
  return {
    usage: {
      inputTokens: count(tokens.fresh, place) + cacheReadTokens + cacheWriteTokens,
      outputTokens: count(tokens.output, place),
      cacheReadTokens,
      cacheWriteTokens,
    },
  };
}

function spentInOpenAiWords(usage: NonNullable<SourceMessage['usage']>, place: string): Spent {
  const cached = detail(usage['prompt_tokens_details'], 'cached_tokens');
  const reasoning = detail(usage['completion_tokens_details'], 'reasoning_tokens');
  const total = usage['total_tokens'];
  return {
    usage: {
      inputTokens: count(usage['prompt_tokens'], place),
      outputTokens: count(usage['completion_tokens'], place),
      ...(cached !== undefined && { cacheReadTokens: count(cached, place) }),
      ...(reasoning !== undefined && { reasoningTokens: count(reasoning, place) }),
      ...(total !== undefined && { totalTokens: count(total, place) }),
    },
  };
}

function detail(details: Json | undefined, field: string): Json | undefined {
  return isObject(details) ? details[field] : undefined;
}

function count(value: Json | undefined, place: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new ConversationDataError(place, `${JSON.stringify(value)} is no number of tokens`);
}
