import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ContextPruner, project, type SessionTurn } from '@lexigram/ai-session';

/** A conversation with questions, and the messages that answer each. */
export interface QuestionedConversation {
  readonly kind: 'QMSum' | 'MemoryBank';
  readonly turns: readonly SessionTurn[];
  readonly questions: readonly { readonly text: string; readonly evidence: readonly string[] }[];
}

/** Mean recall of all questions of a kind, a number for each budget. */
export type Recall = Readonly<Record<QuestionedConversation['kind'], readonly number[]>>;

export const budgets: readonly number[] = [1_000, 2_000, 4_000, 8_000];

interface SourceRecord {
  readonly source: string;
  readonly messages: readonly {
    readonly id: string;
    readonly role: SessionTurn['role'];
    readonly name?: string;
    readonly content: string;
  }[];
  readonly questions?: readonly {
    readonly question: string;
    readonly evidence_message_ids: readonly string[];
  }[];
}

const ownData = join(import.meta.dirname, '..', '..', 'examples', 'data');

/** The questioned conversations of CONVERSATIONS_DIR, else of the project's own selection, which has one. */
export function questionedConversations(): readonly QuestionedConversation[] {
  const path = join(process.env['CONVERSATIONS_DIR'] ?? ownData, 'long_qa.jsonl');
  if (!existsSync(path)) throw new Error(`There is no ${path}`);
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line): QuestionedConversation => {
      const { messages, questions = [], source } = JSON.parse(line) as SourceRecord;
      return {
        kind: source.includes('QMSum') ? 'QMSum' : 'MemoryBank',
        turns: messages.map(({ content, id, name, role }, i) => ({
          turnId: id,
          seq: i + 1,
          role,
          content,
          ...(name === undefined ? {} : { name }),
          timestamp: '2026-01-01T00:00:00.000Z',
        })),
        questions: questions.map((asked) => ({
          text: asked.question,
          evidence: asked.evidence_message_ids,
        })),
      };
    });
}

/** A token is four characters, and a message costs four more. */
const countTokens = (text: string): number => Math.ceil(text.length / 4);

/**
 * The mean over questions of the share of evidence messages that a projection of the question's budget has. What a
 * pruner does not find without a query of its own is not given to it.
 */
export async function measureRecall(
  conversations: readonly QuestionedConversation[],
  pruner: ContextPruner,
): Promise<Recall> {
  const sums = { QMSum: budgets.map(() => 0), MemoryBank: budgets.map(() => 0) };
  const asked = { QMSum: 0, MemoryBank: 0 };
  for (const { kind, questions, turns } of conversations) {
    for (const { evidence, text: query } of questions) {
      asked[kind] += 1;
      for (const [at, maxTokens] of budgets.entries()) {
        const options = { query, maxTokens, countTokens, pruner };
        const { tokens, turnIds } = await project(turns, options);
        if (tokens > maxTokens) throw new Error(`${tokens} tokens in a budget of ${maxTokens}`);
        const shown = new Set(turnIds);
        const found = evidence.filter((id) => shown.has(id)).length / evidence.length;
        sums[kind][at] = (sums[kind][at] ?? 0) + found;
      }
    }
  }
  const mean = (kind: 'QMSum' | 'MemoryBank') => sums[kind].map((sum) => sum / (asked[kind] || 1));
  return { QMSum: mean('QMSum'), MemoryBank: mean('MemoryBank') };
}

/** How many questions there are of each kind. */
export function countQuestions(
  conversations: readonly QuestionedConversation[],
  kind: QuestionedConversation['kind'],
): number {
  return conversations
    .filter((conversation) => conversation.kind === kind)
    .reduce((sum, { questions }) => sum + questions.length, 0);
}
