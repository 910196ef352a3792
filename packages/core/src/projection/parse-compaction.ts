import { SessionInputError } from '../errors.ts';
import type { OperationOptions } from '../manager/engine.ts';
import { checkName, kindOf } from '../session/ids.ts';
import { parseCount } from '../session/parse-head.ts';
import type { OperationKey } from '../store/port.ts';
import { parseCounter, type TokenCounter } from './count-tokens.ts';
import { extractiveSummariser } from './extractive-summariser.ts';
import type { HistoryReader } from './history-reader.ts';
import type { Summariser } from './summarise.ts';

/** How a summary is made. */
export interface CompactOptions extends OperationOptions {
  /** Makes the summary; `extractiveSummariser()` if it is left out. */
  readonly summarise?: Summariser | undefined;
  /** The last turn that is summed up, by seq or by id. */
  readonly upTo?: number | string | undefined;
  /** So many of the newest turns are not summed up; 20 if neither this nor `upTo` is given. */
  readonly keepLast?: number | undefined;
  /** What the summary should not pass; 1,000 if it is left out. */
  readonly maxTokens?: number | undefined;
  /** Tokens that the summariser gets at a time; 16,000 if it is left out. */
  readonly chunkTokens?: number | undefined;
  readonly countTokens?: TokenCounter | undefined;
  /** After how long another process may take over if this one dies; 15 seconds if it is left out. */
  readonly leaseMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ParsedCompaction {
  readonly summarise: Summariser;
  readonly upTo: (reader: HistoryReader) => Promise<number>;
  readonly maxTokens: number;
  readonly chunkTokens: number;
  readonly countTokens: TokenCounter;
  readonly leaseMs: number;
  readonly signal: AbortSignal | undefined;
  readonly operation?: OperationKey | undefined;
}

export const compactKeys: readonly string[] = [
  'summarise',
  'upTo',
  'keepLast',
  'maxTokens',
  'chunkTokens',
  'countTokens',
  'leaseMs',
  'signal',
];

const standard: Summariser = extractiveSummariser();

/** @throws SessionInputError */
export function parseCompaction(given: Readonly<Record<string, unknown>>): ParsedCompaction {
  const { keepLast, signal, summarise, upTo } = given;
  if (summarise !== undefined && typeof summarise !== 'function') {
    throw new SessionInputError('summarise', `expected a function, got ${kindOf(summarise)}`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new SessionInputError('signal', `expected an AbortSignal, got ${kindOf(signal)}`);
  }
  if (upTo !== undefined && keepLast !== undefined) {
    throw new SessionInputError('options', "give one of 'upTo' and 'keepLast'");
  }
  const chunkTokens = parseCount(given.chunkTokens, 'chunkTokens') ?? 16_000;
  const maxTokens = parseCount(given.maxTokens, 'maxTokens') ?? 1_000;
  const leaseMs = parseCount(given.leaseMs, 'leaseMs', 3_600_000) ?? 15_000;
  if (leaseMs < 10) throw new SessionInputError('leaseMs', 'must be 10 at least');
  return {
    summarise: (summarise as Summariser | undefined) ?? standard,
    upTo: parseEnd(upTo, keepLast),
    maxTokens,
    chunkTokens,
    countTokens: parseCounter(given.countTokens),
    leaseMs,
    signal,
  };
}

function parseEnd(upTo: unknown, keepLast: unknown): ParsedCompaction['upTo'] {
  if (typeof upTo === 'string') {
    const id = checkName(upTo, 'upTo');
    return async ({ history }) => {
      const turn = await history.find(id);
      if (turn === null) throw new SessionInputError('upTo', `the history has no turn '${id}'`);
      return turn.seq;
    };
  }
  const seq = parseCount(upTo, 'upTo');
  if (seq !== undefined) return async () => seq;
  const kept = parseCount(keepLast, 'keepLast') ?? 20;
  return async ({ length }) => length - kept;
}
