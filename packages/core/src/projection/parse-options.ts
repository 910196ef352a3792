import { SessionInputError } from '../errors.ts';
import { checkName, kindOf } from '../session/ids.ts';
import { checkText } from '../session/json.ts';
import { checkOptions } from '../session/options.ts';
import { parseCount } from '../session/parse-head.ts';
import { parseCounter, type TokenCounter } from './count-tokens.ts';
import { type ProjectionFormat, parseFormat } from './formats.ts';
import type { ContextPruner } from './pruner.ts';

/** What a projection depends on beside the turns. */
export interface ProjectOptions<F extends ProjectionFormat = 'session'> {
  /** The agent that will see it: turns that are not visible to it are left out. Everybody's if left out. */
  readonly viewer?: string | undefined;
  /**
   * What the turns have to do with. If it is left out, or is what the user said last, the conversation waits for
   * an answer: the last question and what came after it stay, and some of what came before it.
   */
  readonly query?: string | undefined;
  /** The projection is never more, as `countTokens` counts. */
  readonly maxTokens?: number | undefined;
  /** The projection has never more turns. */
  readonly maxTurns?: number | undefined;
  /** Tokens of `maxTokens` that are kept free for the answer. */
  readonly reserve?: number | undefined;
  readonly countTokens?: TokenCounter | undefined;
  /** Chooses what stays where not everything fits; Bm25ContextPruner if it is left out. */
  readonly pruner?: ContextPruner | undefined;
  /** The form of the messages: our own, `session`, if it is left out. */
  readonly format?: F | undefined;
}

export interface ParsedOptions {
  readonly viewer: string | undefined;
  readonly query: string | undefined;
  readonly maxTokens: number;
  readonly maxTurns: number;
  readonly reserve: number;
  readonly countTokens: TokenCounter;
  readonly pruner: ContextPruner | undefined;
  readonly format: ProjectionFormat;
}

export const projectKeys: readonly string[] = [
  'viewer',
  'query',
  'maxTokens',
  'maxTurns',
  'reserve',
  'countTokens',
  'pruner',
  'format',
];

/** @throws SessionInputError */
export function parseProjectOptions(given: Readonly<Record<string, unknown>>): ParsedOptions {
  const { pruner, query, viewer } = given;
  if (query !== undefined && typeof query !== 'string') {
    throw new SessionInputError('query', `expected a string, got ${kindOf(query)}`);
  }
  if (pruner !== undefined && typeof (pruner as ContextPruner | null)?.prune !== 'function') {
    throw new SessionInputError('pruner', `expected a pruner, got ${kindOf(pruner)}`);
  }
  return {
    viewer: viewer === undefined ? undefined : checkName(viewer, 'viewer'),
    query: query === undefined ? undefined : checkText(query, 'query'),
    maxTokens: parseCount(given.maxTokens, 'maxTokens') ?? Number.POSITIVE_INFINITY,
    maxTurns: parseCount(given.maxTurns, 'maxTurns') ?? Number.POSITIVE_INFINITY,
    reserve: parseCount(given.reserve, 'reserve') ?? 0,
    countTokens: parseCounter(given.countTokens),
    pruner: pruner as ContextPruner | undefined,
    format: parseFormat(given.format),
  };
}

/** @throws SessionInputError */
export function checkTurnIds(value: unknown, path: string): ReadonlySet<string> {
  if (value === undefined) return new Set();
  if (!Array.isArray(value)) {
    throw new SessionInputError(path, `expected an array of turn ids, got ${kindOf(value)}`);
  }
  return new Set(value.map((id, i) => checkName(id, `${path}[${i}]`)));
}

/** A summary that stands for the oldest turns. */
export interface SummaryOption {
  readonly text: string;
  /** The seq of the last turn that is in it. */
  readonly toSeq: number;
}

/** @throws SessionInputError */
export function parseSummary(value: unknown): SummaryOption | null {
  if (value === undefined) return null;
  const { text, toSeq } = checkOptions(value, ['text', 'toSeq'], 'summary');
  if (typeof text !== 'string' || text.trim() === '') {
    throw new SessionInputError('summary.text', `expected a text, got ${kindOf(text)}`);
  }
  const to = parseCount(toSeq, 'summary.toSeq');
  if (to === undefined) throw new SessionInputError('summary.toSeq', 'is missing');
  return { text: checkText(text, 'summary.text'), toSeq: to };
}
