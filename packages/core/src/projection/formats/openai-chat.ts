import type { ProjectedMessage } from '../message.ts';
import {
  argumentsJson,
  ProviderNames,
  type SendablePart,
  saidText,
  sendableParts,
} from './parts.ts';

/** A message of OpenAI's chat completions. */
export type OpenAiChatMessage =
  | { readonly role: 'system'; readonly content: string }
  | { readonly role: 'user'; readonly content: string | readonly OpenAiChatPart[] }
  | {
      readonly role: 'assistant';
      readonly content: string | null;
      readonly tool_calls?: readonly OpenAiToolCall[];
    }
  | { readonly role: 'tool'; readonly tool_call_id: string; readonly content: string };

export type OpenAiChatPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image_url'; readonly image_url: { readonly url: string } }
  | {
      readonly type: 'file';
      readonly file: { readonly filename: string; readonly file_data: string };
    };

export interface OpenAiToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

export function toOpenAiChat(messages: readonly ProjectedMessage[]): readonly OpenAiChatMessage[] {
  const ids = ProviderNames.forIds();
  const tools = ProviderNames.forTools();
  return messages.map((message): OpenAiChatMessage => {
    const { role } = message;
    if (role === 'system') return { role, content: saidText(message) };
    if (role === 'tool') {
      return { role, tool_call_id: ids.of(message.toolCallId ?? ''), content: saidText(message) };
    }
    if (role === 'user') {
      const { content } = message;
      return {
        role,
        content: typeof content === 'string' ? content : sendableParts(message).map(toPart),
      };
    }
    const said = saidText(message);
    if (message.toolCalls === undefined) return { role, content: said };
    const tool_calls = message.toolCalls.map(
      (call): OpenAiToolCall => ({
        id: ids.of(call.id),
        type: 'function',
        function: { name: tools.of(call.name), arguments: argumentsJson(call) },
      }),
    );
    return { role, content: said === '' ? null : said, tool_calls };
  });
}

function toPart(part: SendablePart): OpenAiChatPart {
  if ('text' in part) return { type: 'text', text: part.text };
  const { data, kind, mediaType, url } = part.file;
  if (kind === 'image') {
    return { type: 'image_url', image_url: { url: url ?? `data:${mediaType};base64,${data}` } };
  }
  if (data === null) return { type: 'text', text: `[file: ${mediaType} ${url}]` };
  const file_data = `data:${mediaType};base64,${data}`;
  return { type: 'file', file: { filename: 'document.pdf', file_data } };
}
