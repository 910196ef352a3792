import { isObject, type Json, type SourceMessage } from './record.ts';
import type { TurnInput } from './turn-input.ts';

type Content = TurnInput['content'];
type ContentPart = Exclude<Content, string>[number];

/**
 * What a message says. Text stays as it is; null, as messages have it that only call tools, is ''. What a
 * model thought comes first, as a part; blocks become parts, and those of an unknown type `data`, so that
 * nothing is lost.
 */
export function contentOf(message: SourceMessage): Content {
  const { content, thinking } = message;
  const thought: readonly ContentPart[] =
    thinking === undefined ? [] : [{ type: 'reasoning', text: thinking }];
  if (content === null || typeof content === 'string') {
    const text = content ?? '';
    if (thought.length === 0) return text;
    return text === '' ? thought : [...thought, { type: 'text', text }];
  }
  return [...thought, ...content.map(partOf)];
}

function partOf(block: Json): ContentPart {
  if (isObject(block)) {
    const { type, ...rest } = block;
    if (type === 'text' && typeof rest['text'] === 'string') {
      const { text, ...extra } = rest;
      return { type, text: rest['text'], ...extraOf(extra) };
    }
    if (type === 'thinking' && typeof rest['thinking'] === 'string') {
      const { thinking, signature, ...extra } = rest;
      return {
        type: 'reasoning',
        text: rest['thinking'],
        ...(typeof signature === 'string' && { signature }),
        ...extraOf(extra),
      };
    }
    if ((type === 'image' || type === 'document') && isObject(rest['source'])) {
      const { source, ...extra } = rest;
      const { media_type: mediaType, data } = rest['source'];
      if (typeof mediaType === 'string' && typeof data === 'string') {
        return { type: 'file', mediaType, data, ...extraOf(extra) };
      }
    }
    return { type: 'data', name: typeof type === 'string' ? type : 'block', json: block };
  }
  return { type: 'data', name: 'block', json: block };
}

function extraOf(extra: { readonly [key: string]: Json }): { extra?: typeof extra } {
  return Object.keys(extra).length === 0 ? {} : { extra };
}
