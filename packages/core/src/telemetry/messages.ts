import { SessionInputError } from '../errors.ts';
import { kindOf } from '../session/ids.ts';
import { checkOptions } from '../session/options.ts';
import { parseCount } from '../session/parse-head.ts';
import type { ContentPart, SessionTurn } from '../session/turn.ts';

/** What of turns is put into traces. */
export interface ContentCapture {
  /** Characters of each text that are kept; 4,000 unless given. */
  readonly maxCharacters?: number | undefined;
  /** Takes out what must not leave: given each text, before it is cut. A text for which it throws is left out. */
  readonly redact?: ((text: string) => string) | undefined;
}

/** The same with its defaults. */
export interface Capture {
  readonly maxCharacters: number;
  readonly redact: (text: string) => string;
}

/** @throws SessionInputError */
export function parseContentCapture(given: unknown, path: string): Capture {
  const { maxCharacters, redact } = checkOptions(given, ['maxCharacters', 'redact'], path);
  if (redact !== undefined && typeof redact !== 'function') {
    throw new SessionInputError(`${path}.redact`, `expected a function, got ${kindOf(redact)}`);
  }
  return {
    maxCharacters: parseCount(maxCharacters, `${path}.maxCharacters`) ?? 4_000,
    redact: (redact as Capture['redact'] | undefined) ?? ((text) => text),
  };
}

/** Turns as messages of the GenAI conventions, as JSON: each text redacted, then cut. */
export function toMessages(
  turns: readonly SessionTurn[],
  { maxCharacters, redact }: Capture,
): string {
  const show = (text: string): string => {
    try {
      const shown = redact(text);
      return shown.length > maxCharacters
        ? `${shown.slice(0, maxCharacters).toWellFormed()}…`
        : shown;
    } catch {
      return '(left out)';
    }
  };
  return JSON.stringify(
    turns.map((turn) => ({
      role: turn.role,
      ...(turn.name === undefined ? {} : { name: show(turn.name) }),
      parts: [...contentParts(turn, show), ...callParts(turn, show)],
    })),
  );
}

type Show = (text: string) => string;

function contentParts({ content, role, toolCallId }: SessionTurn, show: Show): readonly object[] {
  const parts = typeof content === 'string' ? [{ type: 'text', text: content } as const] : content;
  if (role !== 'tool') return parts.map((part) => toPart(part, show));
  const response = parts.map((part) => ('text' in part ? part.text : JSON.stringify(part)));
  return [
    { type: 'tool_call_response', id: toolCallId ?? null, response: show(response.join('\n')) },
  ];
}

function toPart(part: ContentPart, show: Show): object {
  switch (part.type) {
    case 'text':
    case 'reasoning':
      return { type: part.type, content: show(part.text) };
    case 'file':
      // A file is named, never copied.
      return { type: 'blob', mime_type: part.mediaType };
    case 'data':
      return { type: 'data', name: show(part.name), content: show(JSON.stringify(part.json)) };
  }
}

function callParts({ toolCalls = [] }: SessionTurn, show: Show): readonly object[] {
  return toolCalls.map(({ arguments: given, id, name }) => ({
    type: 'tool_call',
    id,
    name,
    arguments: show(typeof given === 'string' ? given : JSON.stringify(given)),
  }));
}
