import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readRecords, type SourceMessage, type SourceRecord } from './record.ts';
import { type ConversationTurn, turnsOf } from './turns.ts';

/** A real conversation, ready to become a session. */
export interface Conversation {
  readonly id: string;
  /** The name of the file it stands in. */
  readonly file: string;
  readonly kind: string;
  /** The public repository that it comes from, its file there, and the commit. */
  readonly source: string;
  readonly sourcePath: string;
  readonly commit: string;
  readonly license: string;
  readonly lang?: string;
  /** One line for people. */
  readonly title: string;
  /** Of a sub-agent: the id of the conversation that started it. */
  readonly parentConversation?: string;
  /** Whether the source says which turn follows which; else they follow one another. */
  readonly tree: boolean;
  /** In log order; a parent stands before its children. */
  readonly turns: readonly ConversationTurn[];
}

/**
 * The conversations of a directory's JSONL files, read a line at a time: all files in the order of their
 * names, or the named ones in the order given.
 *
 * @throws ConversationDataError with the place of the first fault.
 */
export async function* readConversations(
  directory: string,
  options: { readonly files?: readonly string[] } = {},
): AsyncGenerator<Conversation> {
  for (const file of options.files ?? (await conversationFiles(directory))) {
    for await (const { record, line } of readRecords(join(directory, file))) {
      yield {
        id: record.id,
        file,
        kind: record.kind,
        source: record.source,
        sourcePath: record.source_path,
        commit: record.commit,
        license: record.license,
        ...(record.lang !== undefined && { lang: record.lang }),
        title: titleOf(record),
        ...(record.parent_session !== undefined && { parentConversation: record.parent_session }),
        tree: record.tree,
        turns: turnsOf(record, `${file}:${line}`),
      };
    }
  }
}

/** The names of a directory's JSONL files, in order. */
export async function conversationFiles(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return names.filter((name) => name.endsWith('.jsonl')).sort();
}

const titleLength = 80;

/** How it begins; or, where all begin alike or in the middle of a talk, what the source calls it. */
function titleOf(record: SourceRecord): string {
  const opening = record.kind.endsWith('_qa') ? undefined : record.messages.find(isOpening);
  const text = opening?.content;
  if (typeof text !== 'string') return record.id;
  if (record.kind === 'coding_agent') return record.source_path.split('/').at(-1) ?? record.id;
  const characters = [
    ...text
      .trim()
      .split(/[\r\n\u2028\u2029]/, 1)
      .join(''),
  ];
  if (characters.length <= titleLength) return characters.join('');
  return `${characters.slice(0, titleLength - 1).join('')}…`;
}

/** The first thing that a person said: no slash command, and nothing that the tool put in. */
function isOpening({ role, content, is_meta }: SourceMessage): boolean {
  if (role !== 'user' || is_meta === true || typeof content !== 'string') return false;
  return content.trim() !== '' && !/^\/\S*$/.test(content.trim());
}
