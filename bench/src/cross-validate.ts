import { Bm25ContextPruner, type WindowSettings } from '@lexigram/ai-session';
import {
  budgets,
  countQuestions,
  measureRecall,
  type QuestionedConversation,
  type Recall,
} from './recall.ts';

const kinds = ['QMSum', 'MemoryBank'] as const;
const folds = 4;

/** What may be chosen from. */
const grid: readonly Partial<WindowSettings>[] = [250, 400, 600].flatMap((reach) =>
  [0, 0.15].map((brevity) => ({ reach, brevity })),
);

/** What is held out of each fold, measured with the settings that were best on the rest. */
export interface CrossValidation {
  readonly recall: Recall;
  readonly chosen: readonly Partial<WindowSettings>[];
}

/** 4-fold cross-validation over conversations: no question is measured with settings that its conversation chose. */
export async function crossValidate(
  conversations: readonly QuestionedConversation[],
): Promise<CrossValidation> {
  const parts = Array.from({ length: folds }, (_, fold) =>
    kinds.flatMap((kind) =>
      conversations
        .filter((conversation) => conversation.kind === kind)
        .filter((_, i) => i % folds === fold),
    ),
  );
  const measured: Recall[][] = [];
  for (const settings of grid) {
    const pruner = new Bm25ContextPruner(settings);
    const each: Recall[] = [];
    for (const part of parts) each.push(await measureRecall(part, pruner));
    measured.push(each);
  }
  const chosen: number[] = parts.map((_, fold) => {
    const worth = grid.map((_, n) => {
      const rest = parts.map((_, other) => other).filter((other) => other !== fold);
      const recall = join(parts, measured[n] ?? [], rest);
      return kinds.flatMap((kind) => recall[kind]).reduce((sum, value) => sum + value, 0);
    });
    return worth.indexOf(Math.max(...worth));
  });
  const held = chosen.map((n, fold) => measured[n]?.[fold] as Recall);
  return {
    recall: join(parts, held, [0, 1, 2, 3]),
    chosen: chosen.map((n) => grid[n] as Partial<WindowSettings>),
  };
}

/** Means over the questions of several parts. */
function join(
  parts: readonly (readonly QuestionedConversation[])[],
  each: readonly Recall[],
  which: readonly number[],
): Recall {
  const mean = (kind: (typeof kinds)[number]): readonly number[] =>
    budgets.map((_, at) => {
      let sum = 0;
      let count = 0;
      for (const part of which) {
        const questions = countQuestions(parts[part] ?? [], kind);
        sum += questions * (each[part]?.[kind][at] ?? 0);
        count += questions;
      }
      return sum / (count || 1);
    });
  return { QMSum: mean('QMSum'), MemoryBank: mean('MemoryBank') };
}
