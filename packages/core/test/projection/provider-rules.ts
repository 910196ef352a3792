import type { AnthropicMessage } from '../../src/projection/formats/anthropic.ts';
import type { OpenAiChatMessage } from '../../src/projection/formats/openai-chat.ts';
import type { OpenAiResponsesItem } from '../../src/projection/formats/openai-responses.ts';

const idPattern = /^[A-Za-z0-9_-]{1,64}$/;

/** What Anthropic would refuse of these messages. */
export function anthropicFaults(messages: readonly AnthropicMessage[]): readonly string[] {
  const faults: string[] = [];
  const used = new Set<string>();
  let calls: string[] = [];
  for (const [i, { content, role }] of messages.entries()) {
    const fault = (problem: string): void => void faults.push(`message ${i}: ${problem}`);
    if (role !== (i % 2 === 0 ? 'user' : 'assistant')) fault(`${role} out of turn`);
    const blocks =
      typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content;
    if (blocks.length === 0) fault('no content');
    const results: string[] = [];
    const next: string[] = [];
    for (const [n, block] of blocks.entries()) {
      if (block.type === 'text' && block.text.trim() === '') fault('a blank text');
      if (block.type === 'tool_use') {
        if (role !== 'assistant') fault('a user calls a tool');
        if (used.has(block.id)) fault(`the id ${block.id} comes twice`);
        if (!idPattern.test(block.id) || !idPattern.test(block.name)) fault('a bad id or name');
        if (typeof block.input !== 'object' || Array.isArray(block.input)) fault('no object');
        used.add(block.id);
        next.push(block.id);
      }
      if (block.type === 'tool_result') {
        if (role !== 'user' || n !== results.length) fault('a result that is not first');
        results.push(block.tool_use_id);
      }
      const last = i === messages.length - 1 && n === blocks.length - 1;
      if (last && role === 'assistant' && block.type === 'text' && /\s$/.test(block.text)) {
        fault('the last answer ends in a space');
      }
    }
    if (results.toSorted().join() !== calls.toSorted().join()) {
      fault(`results of ${results} to calls of ${calls}`);
    }
    calls = next;
  }
  if (calls.length > 0) faults.push('calls without results at the end');
  return faults;
}

/** What OpenAI's chat completions would refuse. */
export function openAiChatFaults(messages: readonly OpenAiChatMessage[]): readonly string[] {
  const faults: string[] = [];
  let open: string[] = [];
  for (const [i, message] of messages.entries()) {
    const fault = (problem: string): void => void faults.push(`message ${i}: ${problem}`);
    if (message.role === 'tool') {
      if (!open.includes(message.tool_call_id)) fault('a result without its call');
      open = open.filter((id) => id !== message.tool_call_id);
      continue;
    }
    if (open.length > 0) fault(`calls ${open} without results`);
    open = [];
    if (message.role === 'system' && i > 0) fault('a system message in between');
    if (message.role !== 'assistant') {
      if (message.content.length === 0) fault('no content');
      continue;
    }
    const calls = message.tool_calls;
    if (calls === undefined && (message.content ?? '') === '') fault('an empty answer');
    if (calls?.length === 0) fault('an empty list of calls');
    for (const { function: called, id } of calls ?? []) {
      if (!idPattern.test(called.name) || id.length > 40) fault('a bad id or name');
      if (!isObjectText(called.arguments)) fault('arguments that are no object');
      open.push(id);
    }
  }
  if (open.length > 0) faults.push('calls without results at the end');
  return faults;
}

/** What OpenAI's responses would refuse. */
export function openAiResponsesFaults(items: readonly OpenAiResponsesItem[]): readonly string[] {
  const faults: string[] = [];
  const calls = new Set<string>();
  const answered = new Set<string>();
  for (const [i, item] of items.entries()) {
    const fault = (problem: string): void => void faults.push(`item ${i}: ${problem}`);
    if ('role' in item) {
      if (item.content.length === 0) fault('no content');
    } else if (item.type === 'function_call') {
      if (calls.has(item.call_id)) fault('an id that comes twice');
      if (!idPattern.test(item.name) || !idPattern.test(item.call_id)) fault('a bad id or name');
      if (!isObjectText(item.arguments)) fault('arguments that are no object');
      calls.add(item.call_id);
    } else {
      if (!calls.has(item.call_id)) fault('a result before its call');
      if (answered.has(item.call_id)) fault('a result twice');
      answered.add(item.call_id);
    }
  }
  if (calls.size !== answered.size) faults.push('calls without results');
  return faults;
}

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
