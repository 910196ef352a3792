import type { JsonObject } from '../../session/json.ts';
import type { ProjectedMessage } from '../message.ts';
import {
  argumentsObject,
  ProviderNames,
  type SendablePart,
  saidText,
  sendableParts,
  signedReasoning,
} from './parts.ts';

/** A `ModelMessage` of the AI SDK, as plain data. */
export type ModelMessageData =
  | { readonly role: 'user'; readonly content: string | ModelPart[] }
  | { readonly role: 'assistant'; readonly content: string | ModelAnswerPart[] }
  | { readonly role: 'tool'; readonly content: ModelResultPart[] };

export type ModelPart =
  | { readonly type: 'text'; readonly text: string }
  | {
      readonly type: 'file';
      readonly mediaType: string;
      /** Base64, or an address. */
      readonly data: string;
    };

export type ModelAnswerPart =
  | { readonly type: 'text'; readonly text: string }
  | {
      readonly type: 'reasoning';
      readonly text: string;
      readonly providerOptions: { anthropic: { signature: string } };
    }
  | {
      readonly type: 'tool-call';
      readonly toolCallId: string;
      readonly toolName: string;
      readonly input: JsonObject;
    };

export interface ModelResultPart {
  readonly type: 'tool-result';
  readonly toolCallId: string;
  readonly toolName: string;
  readonly output: { readonly type: 'text' | 'error-text'; readonly value: string };
}

export function toModelMessages(
  messages: readonly ProjectedMessage[],
): readonly ModelMessageData[] {
  const ids = ProviderNames.forIds();
  const tools = ProviderNames.forTools();
  const out: ModelMessageData[] = [];
  for (const message of messages) {
    if (message.role === 'system') continue;
    if (message.role === 'user') {
      const { content } = message;
      out.push({
        role: 'user',
        content: typeof content === 'string' ? content : sendableParts(message).map(toPart),
      });
    } else if (message.role === 'assistant') {
      out.push({ role: 'assistant', content: toAnswer(message, ids, tools) });
    } else {
      const result: ModelResultPart = {
        type: 'tool-result',
        toolCallId: ids.of(message.toolCallId ?? ''),
        toolName: tools.of(message.toolName ?? ''),
        output: {
          type: message.isError === true ? 'error-text' : 'text',
          value: saidText(message),
        },
      };
      const last = out.at(-1);
      if (last?.role === 'tool') last.content.push(result);
      else out.push({ role: 'tool', content: [result] });
    }
  }
  return out;
}

function toAnswer(
  message: ProjectedMessage,
  ids: ProviderNames,
  tools: ProviderNames,
): string | ModelAnswerPart[] {
  const said = saidText(message);
  const reasoning = signedReasoning(message);
  if (message.toolCalls === undefined && reasoning.length === 0) return said;
  return [
    ...reasoning.map(({ signature, text }) => ({
      type: 'reasoning' as const,
      text,
      providerOptions: { anthropic: { signature } },
    })),
    ...(said === '' ? [] : [{ type: 'text' as const, text: said }]),
    ...(message.toolCalls ?? []).map((call) => ({
      type: 'tool-call' as const,
      toolCallId: ids.of(call.id),
      toolName: tools.of(call.name),
      input: argumentsObject(call),
    })),
  ];
}

function toPart(part: SendablePart): ModelPart {
  if ('text' in part) return { type: 'text', text: part.text };
  const { data, mediaType, url } = part.file;
  return { type: 'file', mediaType, data: data ?? url ?? '' };
}
