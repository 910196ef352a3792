import { SessionInputError } from '../errors.ts';
import { kindOf } from '../session/ids.ts';
import { deepFreeze } from '../session/json.ts';
import { type AnthropicMessage, toAnthropic } from './formats/anthropic.ts';
import { type ModelMessageData, toModelMessages } from './formats/model-message.ts';
import { type OpenAiChatMessage, toOpenAiChat } from './formats/openai-chat.ts';
import { type OpenAiResponsesItem, toOpenAiResponses } from './formats/openai-responses.ts';
import type { ProjectedMessage } from './message.ts';

/** The forms of messages, by the name of their format; all are plain data. */
export interface ProjectionFormats {
  /** Our own. */
  readonly session: ProjectedMessage;
  /** `messages` of OpenAI's chat completions. */
  readonly 'openai-chat': OpenAiChatMessage;
  /** `input` of OpenAI's responses. */
  readonly 'openai-responses': OpenAiResponsesItem;
  /** `messages` of Anthropic's; its `system` is beside them. */
  readonly anthropic: AnthropicMessage;
  /** `messages` of the AI SDK; its `instructions` are beside them, as `system`. */
  readonly 'ai-sdk': ModelMessageData;
}

export type ProjectionFormat = keyof ProjectionFormats;

type Convert = (messages: readonly ProjectedMessage[]) => readonly unknown[];

const converters: ReadonlyMap<unknown, Convert> = new Map<ProjectionFormat, Convert>([
  ['session', (messages) => messages],
  ['openai-chat', toOpenAiChat],
  ['openai-responses', toOpenAiResponses],
  ['anthropic', toAnthropic],
  ['ai-sdk', toModelMessages],
]);

/** @throws SessionInputError */
export function parseFormat(value: unknown): ProjectionFormat {
  if (value === undefined) return 'session';
  if (converters.has(value)) return value as ProjectionFormat;
  const known = [...converters.keys()].map((name) => `'${name}'`).join(', ');
  throw new SessionInputError('format', `expected one of ${known}, got ${kindOf(value)}`);
}

/** Messages in a format, deeply frozen. */
export function toFormat(
  messages: readonly ProjectedMessage[],
  format: ProjectionFormat,
): readonly unknown[] {
  return deepFreeze((converters.get(format) as Convert)(messages)) as readonly unknown[];
}
