import { join } from 'node:path';
import type { TurnInput } from '@lexigram/ai-session';

/** A real conversation: what of it a benchmark needs. */
export interface BenchConversation {
  readonly file: string;
  readonly turns: readonly TurnInput[];
}

/** The examples' reader. It stands outside this package, which has no door to it, so it is loaded by its place. */
interface ConversationReader {
  readConversations(directory: string): AsyncIterable<{
    readonly file: string;
    readonly turns: readonly { readonly turn: TurnInput }[];
  }>;
}

const examples = join(import.meta.dirname, '..', '..', 'examples');

/** The real conversations of the project's own selection, or of a directory given. */
export async function realConversations(
  directory: string = join(examples, 'data'),
): Promise<readonly BenchConversation[]> {
  const place = join(examples, 'src', 'conversations', 'read.ts');
  const { readConversations } = (await import(place)) as ConversationReader;
  const all: BenchConversation[] = [];
  for await (const { file, turns } of readConversations(directory)) {
    all.push({ file, turns: turns.map(({ turn }) => turn) });
  }
  return all;
}

/** The turns of conversations without their ids and times, so that any session takes them again and again. */
export function withoutIds(
  conversations: readonly BenchConversation[],
): readonly (readonly TurnInput[])[] {
  return conversations.map(({ turns }) =>
    turns.map(({ turnId: _, timestamp: __, ...turn }): TurnInput => turn),
  );
}

/** Real turns without their ids, so that any session takes them again and again. */
export async function turnSource(): Promise<() => TurnInput> {
  const turns = withoutIds(await realConversations()).flat();
  let next = 0;
  return () => turns[next++ % turns.length] as TurnInput;
}

/** A turn of 657 bytes as JSON, like those that the goals were set with. */
export function plainTurn(): TurnInput {
  const turn = {
    role: 'assistant',
    content: '',
    model: 'claude-sonnet-4-5',
    usage: { inputTokens: 1_200, outputTokens: 140 },
  } as const;
  const text = 'What a model says is about as long as this. '.repeat(16);
  return { ...turn, content: text.slice(0, 657 - JSON.stringify(turn).length) };
}
