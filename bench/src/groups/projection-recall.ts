import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Bm25ContextPruner,
  type ContextPruner,
  type Embedder,
  energeticEmbedder,
  HybridContextPruner,
  RecencyContextPruner,
  RelevanceContextPruner,
  SemanticContextPruner,
} from '@lexigram/ai-session';
import { crossValidate } from '../cross-validate.ts';
import type { Figure, Goal, Group, MeasureOptions } from '../figure.ts';
import {
  budgets,
  countQuestions,
  measureRecall,
  type QuestionedConversation,
  questionedConversations,
  type Recall,
} from '../recall.ts';

/** How much of what answers a question is in a projection for it. */
export const projectionRecall: Group = {
  name: 'projection-recall',
  about: 'share of the messages that answer a question which are in a projection of N tokens',
  durability: 'pure: nothing is stored',
  measure,
};

/** What each pruner has to reach, by kind; absent is to explain another one. */
interface Row {
  readonly name: string;
  readonly recall: Recall;
  readonly goals?: Readonly<Record<QuestionedConversation['kind'], readonly number[]>>;
}

/** The best of the methods known before, for each budget. */
const known = { QMSum: [0.164, 0.238, 0.38, 0.431], MemoryBank: [0.924, 0.979, 0.99, 1] };
const withEmbedder = { QMSum: [0, 0, 0.45, 0], MemoryBank: [0, 0, 0.99, 0] };

async function measure({ quick }: MeasureOptions): Promise<readonly Figure[]> {
  const conversations = questionedConversations();
  const whole = countQuestions(conversations, 'QMSum') > 0;
  const rows: Row[] = [];
  const add = async (name: string, pruner: ContextPruner, goals?: Row['goals']): Promise<void> => {
    const recall = await measureRecall(conversations, pruner);
    rows.push({ name, recall, ...(goals === undefined || !whole ? {} : { goals }) });
  };
  await add('RecencyContextPruner', new RecencyContextPruner());
  await add('RelevanceContextPruner', new RelevanceContextPruner());
  await add('Bm25ContextPruner (the default)', new Bm25ContextPruner(), known);
  if (whole && !quick) {
    const { chosen, recall } = await crossValidate(conversations);
    const settings = [...new Set(chosen.map((each) => JSON.stringify(each)))].join(' ');
    console.log(`cross-validation chose ${settings}`);
    rows.push({ name: 'the same, settings chosen on other conversations', recall });
  }
  if (!quick) {
    const embedder = remembering(energeticEmbedder());
    await add('SemanticContextPruner', new SemanticContextPruner({ embedder }));
    await add('HybridContextPruner', new HybridContextPruner({ embedder }), withEmbedder);
  }
  if (whole && !quick) writeTable(rows, conversations);
  return rows.flatMap(toFigures);
}

/** Both pruners look at the same texts, and embedding is what takes the time. */
function remembering(embedder: Embedder): Embedder {
  const known = new Map<string, ArrayLike<number>>();
  return async (texts) => {
    const missing = texts.filter((text) => !known.has(text));
    const vectors = missing.length === 0 ? [] : await embedder(missing);
    for (const [i, text] of missing.entries()) known.set(text, vectors[i] as ArrayLike<number>);
    return texts.map((text) => known.get(text) as ArrayLike<number>);
  };
}

function toFigures({ goals, name, recall }: Row): readonly Figure[] {
  return (['QMSum', 'MemoryBank'] as const).flatMap((kind) =>
    budgets.map((budget, at): Figure => {
      const goal: Goal = { atLeast: goals?.[kind][at] ?? 0 };
      return {
        name: `${name}, ${kind} at ${budget}`,
        value: recall[kind][at] ?? 0,
        unit: 'recall',
        ...(goals === undefined || goal.atLeast === 0 ? {} : { goal }),
        detail: 'mean over questions; a token is four characters, and four more a message',
      };
    }),
  );
}

const page = join(import.meta.dirname, '..', '..', '..', 'docs', 'projection.md');
const marks = ['<!-- table of npm run bench:projection -->', '<!-- end of the table -->'] as const;

/** Puts the table into the document. */
function writeTable(rows: readonly Row[], conversations: readonly QuestionedConversation[]): void {
  const text = readFileSync(page, 'utf8');
  const [start, end] = marks.map((mark) => text.indexOf(mark)) as [number, number];
  if (start < 0 || end < start) throw new Error(`${page} has no place for the table`);
  const count = (kind: QuestionedConversation['kind']) => countQuestions(conversations, kind);
  const cell = (values: readonly number[]): string =>
    values.map((value) => (value >= 0.9995 ? '1' : value.toFixed(3).slice(1))).join(' / ');
  const table = [
    `| pruner | QMSum, ${count('QMSum')} questions | MemoryBank, ${count('MemoryBank')} questions |`,
    '| --- | --- | --- |',
    ...rows.map(({ name, recall }) => {
      const named = name.replace(/^(\w+Pruner)/, '`$1`');
      return `| ${named} | ${cell(recall.QMSum)} | ${cell(recall.MemoryBank)} |`;
    }),
  ].join('\n');
  writeFileSync(page, `${text.slice(0, start + marks[0].length)}\n${table}\n${text.slice(end)}`);
}
