import type { ProjectedMessage } from '../message.ts';
import {
  argumentsJson,
  ProviderNames,
  type SendablePart,
  saidText,
  sendableParts,
} from './parts.ts';

/** An item of the `input` of OpenAI's responses. */
export type OpenAiResponsesItem =
  | { readonly role: 'system' | 'assistant'; readonly content: string }
  | { readonly role: 'user'; readonly content: string | readonly OpenAiResponsesPart[] }
  | {
      readonly type: 'function_call';
      readonly call_id: string;
      readonly name: string;
      readonly arguments: string;
    }
  | {
      readonly type: 'function_call_output';
      readonly call_id: string;
      readonly output: string;
    };

export type OpenAiResponsesPart =
  | { readonly type: 'input_text'; readonly text: string }
  | { readonly type: 'input_image'; readonly image_url: string; readonly detail: 'auto' }
  | { readonly type: 'input_file'; readonly filename: string; readonly file_data: string }
  | { readonly type: 'input_file'; readonly file_url: string };

export function toOpenAiResponses(
  messages: readonly ProjectedMessage[],
): readonly OpenAiResponsesItem[] {
  const ids = ProviderNames.forIds();
  const tools = ProviderNames.forTools();
  return messages.flatMap((message): readonly OpenAiResponsesItem[] => {
    const { role } = message;
    if (role === 'system') return [{ role, content: saidText(message) }];
    if (role === 'tool') {
      const call_id = ids.of(message.toolCallId ?? '');
      return [{ type: 'function_call_output', call_id, output: saidText(message) }];
    }
    if (role === 'user') {
      const { content } = message;
      return [
        {
          role,
          content: typeof content === 'string' ? content : sendableParts(message).map(toPart),
        },
      ];
    }
    const said = saidText(message);
    return [
      ...(said === '' ? [] : [{ role, content: said }]),
      ...(message.toolCalls ?? []).map((call) => ({
        type: 'function_call' as const,
        call_id: ids.of(call.id),
        name: tools.of(call.name),
        arguments: argumentsJson(call),
      })),
    ];
  });
}

function toPart(part: SendablePart): OpenAiResponsesPart {
  if ('text' in part) return { type: 'input_text', text: part.text };
  const { data, kind, mediaType, url } = part.file;
  const inline = `data:${mediaType};base64,${data}`;
  if (kind === 'image') return { type: 'input_image', image_url: url ?? inline, detail: 'auto' };
  return url === null
    ? { type: 'input_file', filename: 'document.pdf', file_data: inline }
    : { type: 'input_file', file_url: url };
}
