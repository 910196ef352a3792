import { SessionInputError } from '../errors.ts';
import { kindOf } from '../session/ids.ts';
import { checkOptions } from '../session/options.ts';
import type { SessionTurn } from '../session/turn.ts';
import { Bm25ContextPruner, digestTerms } from './bm25-pruner.ts';
import { count, messageTokens, type TokenCounter } from './count-tokens.ts';
import { digestTurn, type TurnDigest } from './digest-turn.ts';
import type { ProjectionFormat } from './formats.ts';
import { findExchange } from './open-exchange.ts';
import {
  checkTurnIds,
  type ParsedOptions,
  type ProjectOptions,
  parseProjectOptions,
  parseSummary,
  projectKeys,
  type SummaryOption,
} from './parse-options.ts';
import { type PlanInput, plan } from './plan.ts';
import { type Projection, toProjection } from './projection.ts';
import type { ContextPruner, SyncContextPruner } from './pruner.ts';
import { ScoringContextPruner } from './scoring-pruner.ts';
import { opening, summaryText } from './shown.ts';

/** Options of the pure `project`; a session keeps its pins and summaries itself. */
export interface ProjectTurnsOptions<F extends ProjectionFormat = 'session'>
  extends ProjectOptions<F> {
  /** Ids of turns that stay. */
  readonly pinned?: readonly string[] | undefined;
  readonly summary?: SummaryOption | undefined;
}

const defaultPruner: Bm25ContextPruner = new Bm25ContextPruner();

/**
 * What a model is shown of turns: a pure function, which edits nothing. Calls of tools and their results are shown
 * together or not at all, a call without a result gets one that says so; the messages are such as all providers
 * take. The system prompt (the system turns that the history opens with) and pinned turns stay; the order stays.
 * It answers at once, or with a promise if its pruner does.
 *
 * @throws SessionInputError; SessionLimitError if what has to stay is more than `maxTokens` or `maxTurns`
 */
export function project<F extends ProjectionFormat = 'session'>(
  turns: readonly SessionTurn[],
  options?: ProjectTurnsOptions<F> & { readonly pruner?: SyncContextPruner | undefined },
): Projection<F>;
export function project<F extends ProjectionFormat = 'session'>(
  turns: readonly SessionTurn[],
  options: ProjectTurnsOptions<F>,
): Projection<F> | Promise<Projection<F>>;
export function project<F extends ProjectionFormat>(
  turns: readonly SessionTurn[],
  options?: ProjectTurnsOptions<F>,
): Projection<F> | Promise<Projection<F>> {
  const given = checkOptions(options, [...projectKeys, 'pinned', 'summary']);
  const parsed = parseProjectOptions(given);
  const pinned = checkTurnIds(given.pinned, 'pinned');
  const summary = parseSummary(given.summary);
  const bySeq = indexTurns(turns);
  const turnAt = (seq: number): SessionTurn => bySeq.get(seq) as SessionTurn;
  const { countTokens, format, query, viewer } = parsed;
  const exchange = findExchange(turns, viewer, query) ?? { query: query ?? '', from: null };
  const pruner = prunerOf(parsed);
  const made = plan({
    ...planOptions(parsed, pruner, summary),
    digests: digestAll(turns, countTokens, usesTerms(pruner)),
    gaps: false,
    pinned,
    query: exchange.query,
    openFrom: exchange.from,
    turnAt,
  });
  return made instanceof Promise
    ? made.then((made) => toProjection<F>(made, turnAt, format))
    : toProjection<F>(made, turnAt, format);
}

/** The pruner of the options, or the default one. */
export function prunerOf({ pruner }: ParsedOptions): ContextPruner {
  return pruner ?? defaultPruner;
}

/** Whether a pruner chooses by terms. */
export function usesTerms(pruner: ContextPruner): boolean {
  return pruner instanceof ScoringContextPruner && pruner.usesTerms;
}

type PlanOptions = Pick<
  PlanInput,
  'viewer' | 'maxTokens' | 'maxTurns' | 'reserve' | 'openingTokens' | 'summary' | 'pruner'
>;

/** What a plan takes from the options. */
export function planOptions(
  { countTokens, maxTokens, maxTurns, reserve, viewer }: ParsedOptions,
  pruner: ContextPruner,
  summary: SummaryOption | null,
): PlanOptions {
  const text = summary === null ? '' : summaryText(summary.text);
  return {
    viewer,
    maxTokens,
    maxTurns,
    reserve,
    pruner,
    openingTokens: messageTokens + count(countTokens, opening),
    summary:
      summary === null
        ? null
        : { text, tokens: messageTokens + count(countTokens, text), to: summary.toSeq },
  };
}

function digestAll(
  turns: readonly SessionTurn[],
  countTokens: TokenCounter,
  withTerms: boolean,
): readonly TurnDigest[] {
  return turns.map((turn) => {
    const digest = digestTurn(turn, countTokens);
    if (!withTerms) return digest;
    const [{ counts, end, start, terms }] = digestTerms(turn);
    return { ...digest, terms, counts, start, end };
  });
}

function indexTurns(turns: unknown): ReadonlyMap<number, SessionTurn> {
  if (!Array.isArray(turns)) {
    throw new SessionInputError('turns', `expected an array, got ${kindOf(turns)}`);
  }
  const bySeq = new Map<number, SessionTurn>();
  let last = 0;
  for (const [i, turn] of (turns as readonly SessionTurn[]).entries()) {
    const seq: unknown = turn?.seq;
    if (!Number.isSafeInteger(seq) || (seq as number) <= last) {
      throw new SessionInputError(
        `turns[${i}].seq`,
        `expected more than ${last}, for turns come in order, got ${kindOf(seq)}`,
      );
    }
    last = seq as number;
    bySeq.set(last, turn);
  }
  return bySeq;
}
