import type { SessionTurn, TurnInput } from '@lexigram/ai-session';
import { cut, oneLine } from './text.ts';

/** The text of a turn's content, as one safe line; '' if it has none. */
export function textIn({ content }: SessionTurn | TurnInput): string {
  const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  const texts = parts.flatMap((part) => (part.type === 'text' && 'text' in part ? part.text : []));
  return oneLine(texts.join(' '));
}

/** What a turn says, as one safe line: its text, or the tools that it calls. */
export function saidIn(turn: SessionTurn | TurnInput): string {
  const text = textIn(turn);
  if (text !== '') return text;
  const { toolCalls } = turn;
  const names = [...new Set(toolCalls?.map(({ name }) => oneLine(name)))];
  return names.length === 0 ? '' : `calls ${names.join(', ')}`;
}

/** What a turn says, in quotation marks and cut to some length. */
export function quote(turn: SessionTurn | TurnInput, length: number): string {
  return `“${cut(saidIn(turn), length)}”`;
}
