import { isPlainObject, type JsonObject, type JsonValue } from '../../session/json.ts';
import type { ContentPart, ToolCall } from '../../session/turn.ts';
import type { ProjectedMessage } from '../message.ts';
import { argumentsText, textOf } from '../shown.ts';

/** A file that providers take: an image or a PDF, by its data or a public address. */
interface SendableFile {
  readonly kind: 'image' | 'pdf';
  readonly mediaType: string;
  readonly url: string | null;
  /** Base64. */
  readonly data: string | null;
}

/** A part as providers can take it from a user: text, or a file that all of them know. */
export type SendablePart = { readonly text: string } | { readonly file: SendableFile };

const images: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

/** A user's parts; other files are only named, in words. */
export function sendableParts(message: ProjectedMessage): readonly SendablePart[] {
  const { content } = message;
  if (typeof content === 'string') return [{ text: content }];
  return content.flatMap((part): readonly SendablePart[] => {
    if (part.type === 'reasoning') return [];
    const file = part.type === 'file' ? sendable(part) : null;
    return [file === null ? { text: textOf(part) } : { file }];
  });
}

function sendable(part: Extract<ContentPart, { type: 'file' }>): SendableFile | null {
  const { data, mediaType, url } = part;
  const kind = images.has(mediaType) ? 'image' : mediaType === 'application/pdf' ? 'pdf' : null;
  if (kind === null) return null;
  if (data !== undefined && isBase64(data)) return { kind, mediaType, url: null, data };
  // Only what anybody may see: an address of another kind could point into the caller's own network or disk.
  if (url === undefined || !url.startsWith('https://') || !URL.canParse(url)) return null;
  return { kind, mediaType, url, data: null };
}

function isBase64(data: string): boolean {
  return data.length > 0 && data.length % 4 === 0 && !/[^A-Za-z0-9+/=]/.test(data);
}

/** All that was said in a message as one text; reasoning is not said. */
export function saidText(message: ProjectedMessage): string {
  const { content } = message;
  if (typeof content === 'string') return content;
  return content
    .filter((part) => part.type !== 'reasoning')
    .map(textOf)
    .join('\n\n');
}

/** Reasoning that its provider signed, and can so be given back to it. */
export function signedReasoning(
  message: ProjectedMessage,
): readonly { readonly text: string; readonly signature: string }[] {
  if (typeof message.content === 'string') return [];
  return message.content.flatMap((part) =>
    part.type === 'reasoning' && part.signature !== undefined && part.signature !== ''
      ? [{ text: part.text, signature: part.signature }]
      : [],
  );
}

/** Arguments as the object that providers want; what a model sent otherwise stands in it under `arguments`. */
export function argumentsObject(call: ToolCall): JsonObject {
  const value = parsed(call.arguments);
  return isPlainObject(value) ? (value as JsonObject) : { arguments: call.arguments };
}

function parsed(value: JsonValue): unknown {
  if (typeof value !== 'string') return value;
  if (value.trim() === '') return {};
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** Arguments as the JSON of an object. */
export function argumentsJson(call: ToolCall): string {
  const text = argumentsText(call);
  return isPlainObject(parsed(text)) && text.trim() !== ''
    ? text
    : JSON.stringify(argumentsObject(call));
}

/** Ids of calls as all providers take them, or names of tools; different ones stay different. */
export class ProviderNames {
  readonly #longest: number;
  readonly #given = new Map<string, string>();
  readonly #taken = new Set<string>();

  private constructor(longest: number) {
    this.#longest = longest;
  }

  static forIds(): ProviderNames {
    return new ProviderNames(40);
  }

  /** A name that is one already stays as it is, for the request declares the tool under it. */
  static forTools(): ProviderNames {
    return new ProviderNames(64);
  }

  /** Letters, digits, `_` and `-`, no longer than allowed; the same for the same text. */
  of(text: string): string {
    const known = this.#given.get(text);
    if (known !== undefined) return known;
    const plain = text.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, this.#longest) || '_';
    let name = plain;
    for (let n = 2; this.#taken.has(name); n++) {
      const end = `_${n}`;
      name = plain.slice(0, this.#longest - end.length) + end;
    }
    this.#given.set(text, name);
    this.#taken.add(name);
    return name;
  }
}
