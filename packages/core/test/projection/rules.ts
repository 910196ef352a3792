import type { ProjectedMessage } from '../../src/projection/message.ts';

/** What is wrong with messages that a model would get; nothing if a provider can take them. */
export function findFaults(messages: readonly ProjectedMessage[]): readonly string[] {
  const faults: string[] = [];
  const ids = new Set<string>();
  let before: ProjectedMessage | undefined;
  let open: string[] = [];
  for (const [i, message] of messages.entries()) {
    const fault = (problem: string): void => void faults.push(`message ${i}: ${problem}`);
    const { role } = message;
    if (role !== 'tool' && open.length > 0) {
      fault(`calls ${open} have no result`);
      open = [];
    }
    if (role === 'system' && before !== undefined) fault('a system message is not the first');
    if (role === 'user' && before?.role === 'user') fault('two user messages in a row');
    if (role === 'assistant') {
      if (before === undefined || before.role === 'system') fault('an answer comes first');
      if (before?.role === 'assistant') fault('two answers in a row');
      if (isBlank(message) && message.toolCalls === undefined) fault('the answer is empty');
      for (const { id } of message.toolCalls ?? []) {
        if (ids.has(id)) fault(`the id ${id} comes twice`);
        ids.add(id);
        open.push(id);
      }
      if (message.toolCalls?.length === 0) fault('an empty list of calls');
    } else if (message.toolCalls !== undefined) fault('calls that are no answer');
    if (role === 'tool') {
      const at = open.indexOf(message.toolCallId ?? '');
      if (at === -1) fault(`the result of ${message.toolCallId} has no call`);
      else if (at > 0) fault(`the result of ${message.toolCallId} is out of turn`);
      open = open.filter((id) => id !== message.toolCallId);
      if (message.toolName === undefined) fault('a result without the name of its tool');
    }
    if ((role === 'user' || role === 'system') && isBlank(message)) fault('the message is empty');
    before = message;
  }
  if (open.length > 0) faults.push(`at the end: calls ${open} have no result`);
  return faults;
}

function isBlank({ content }: ProjectedMessage): boolean {
  if (typeof content === 'string') return content.trim() === '';
  return content.every((part) => part.type === 'text' && part.text.trim() === '');
}
