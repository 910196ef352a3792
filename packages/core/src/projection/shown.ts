import type { ContentPart, SessionTurn, ToolCall } from '../session/turn.ts';
import { count, fileTokens, messageTokens, type TokenCounter } from './count-tokens.ts';

/** What a model is told instead of the result of a call that none was recorded for. */
export const noResult = 'No result was recorded for this call.';

/** What opens a conversation whose first turn that is shown is not the user's. */
export const opening = '(The conversation goes on from here.)';

/** A summary as a model is shown it. */
export function summaryText(summary: string): string {
  return `Summary of the conversation so far:\n\n${summary}`;
}

/** The parts of a turn that have something in them. */
export function partsOf(turn: SessionTurn): readonly ContentPart[] {
  const { content } = turn;
  if (typeof content === 'string') return isBlank(content) ? [] : [{ type: 'text', text: content }];
  return content.filter(
    (part) => (part.type !== 'text' && part.type !== 'reasoning') || !isBlank(part.text),
  );
}

function isBlank(text: string): boolean {
  return text.trim() === '';
}

/** Whether a part says something by itself: an answer's reasoning does not. */
export function speaks(part: ContentPart): boolean {
  return part.type !== 'reasoning';
}

/** Who said a text, in front of it where it stands in a user message: several may speak in one. */
export function speakerOf(turn: SessionTurn): string {
  if (turn.role === 'system') return 'System: ';
  if (turn.role === 'tool') return 'Result of a tool: ';
  const name = turn.name ?? turn.agent;
  return name === undefined ? '' : `${name}: `;
}

/** A part as text; a file is only named. */
export function textOf(part: ContentPart): string {
  switch (part.type) {
    case 'text':
    case 'reasoning':
      return part.text;
    case 'data':
      return `${part.name}: ${JSON.stringify(part.json)}`;
    case 'file':
      return `[file: ${part.mediaType}${part.url === undefined ? '' : ` ${part.url}`}]`;
  }
}

/** Whether a model looks at a file of this type itself; others it is only told of. */
function isSeen(mediaType: string): boolean {
  return mediaType === 'application/pdf' || /^(?:image|audio|video)\//.test(mediaType);
}

/** The arguments of a call as the text that a model sent, or would send. */
export function argumentsText(call: ToolCall): string {
  return typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments);
}

/** Everything in a turn that can be searched, as one text. */
export function searchText(turn: SessionTurn): string {
  const said = partsOf(turn).map(textOf);
  const called = (turn.toolCalls ?? []).map((call) => `${call.name} ${argumentsText(call)}`);
  return [turn.name ?? turn.agent ?? '', ...said, ...called].join('\n');
}

/** The tokens of a turn in a message, calls included; never less than what a model gets of it. */
export function tokensOf(turn: SessionTurn, countTokens: TokenCounter): number {
  let tokens = messageTokens;
  const texts: string[] = [];
  for (const part of partsOf(turn)) {
    texts.push(textOf(part));
    if (part.type === 'file' && isSeen(part.mediaType)) tokens += fileTokens;
  }
  if (texts.length > 0) {
    const speaker = turn.role === 'tool' ? '' : speakerOf(turn);
    tokens += count(countTokens, speaker + texts.join('\n\n'));
  }
  for (const call of turn.toolCalls ?? []) {
    tokens += messageTokens + count(countTokens, `${call.name} ${argumentsText(call)}`);
  }
  return tokens;
}
