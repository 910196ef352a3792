import type { ContentPart, ToolCall } from '../session/turn.ts';

/**
 * A message in our own form. In a projection system messages come first, then a user message; user and assistant
 * take turns, and calls of tools are followed by one tool message each, in their order. Their ids are unique.
 */
export interface ProjectedMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  /** Text where there is only text; never empty in a user or system message. */
  readonly content: string | readonly ContentPart[];
  readonly toolCalls?: readonly ToolCall[];
  /** Of a tool message: the call that it answers, and the tool that was called. */
  readonly toolCallId?: string;
  readonly toolName?: string;
  readonly isError?: boolean;
  /** The turns that are in it, in order; none if the projection itself added it. */
  readonly turnIds: readonly string[];
}
