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

/** A message of Anthropic's. */
export interface AnthropicMessage {
  readonly role: 'user' | 'assistant';
  readonly content: string | readonly AnthropicBlock[];
}

export type AnthropicBlock =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'thinking'; readonly thinking: string; readonly signature: string }
  | { readonly type: 'image' | 'document'; readonly source: AnthropicSource }
  | {
      readonly type: 'tool_use';
      readonly id: string;
      readonly name: string;
      readonly input: JsonObject;
    }
  | {
      readonly type: 'tool_result';
      readonly tool_use_id: string;
      readonly content: string;
      readonly is_error?: true;
    };

export type AnthropicSource =
  | { readonly type: 'base64'; readonly media_type: string; readonly data: string }
  | { readonly type: 'url'; readonly url: string };

/** User and assistant take turns; results stand in the user's message, before what the user says. */
export function toAnthropic(messages: readonly ProjectedMessage[]): readonly AnthropicMessage[] {
  const ids = ProviderNames.forIds();
  const tools = ProviderNames.forTools();
  const out: { role: 'user' | 'assistant'; content: AnthropicBlock[] }[] = [];
  for (const message of messages) {
    if (message.role === 'system') continue;
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const blocks = toBlocks(message, ids, tools);
    const last = out.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else out.push({ role, content: blocks });
  }
  const end = out.at(-1);
  const spoken = end?.content.at(-1);
  // An answer that is to be gone on with must not end in a space.
  if (end?.role === 'assistant' && spoken?.type === 'text') {
    end.content[end.content.length - 1] = { ...spoken, text: spoken.text.trimEnd() };
  }
  return out.map(({ content, role }) => {
    const [only, ...more] = content;
    return { role, content: only?.type === 'text' && more.length === 0 ? only.text : content };
  });
}

function toBlocks(
  message: ProjectedMessage,
  ids: ProviderNames,
  tools: ProviderNames,
): AnthropicBlock[] {
  if (message.role === 'tool') {
    return [
      {
        type: 'tool_result',
        tool_use_id: ids.of(message.toolCallId ?? ''),
        content: saidText(message),
        ...(message.isError === true ? { is_error: true } : {}),
      },
    ];
  }
  if (message.role === 'user') return sendableParts(message).map(toBlock);
  const thinking = signedReasoning(message).map(({ signature, text }) => ({
    type: 'thinking' as const,
    thinking: text,
    signature,
  }));
  const said = saidText(message);
  return [
    ...thinking,
    ...(said === '' ? [] : [{ type: 'text' as const, text: said }]),
    ...(message.toolCalls ?? []).map((call) => ({
      type: 'tool_use' as const,
      id: ids.of(call.id),
      name: tools.of(call.name),
      input: argumentsObject(call),
    })),
  ];
}

function toBlock(part: SendablePart): AnthropicBlock {
  if ('text' in part) return { type: 'text', text: part.text };
  const { data, kind, mediaType, url } = part.file;
  const source: AnthropicSource =
    data === null
      ? { type: 'url', url: url ?? '' }
      : { type: 'base64', media_type: mediaType, data };
  return { type: kind === 'image' ? 'image' : 'document', source };
}
