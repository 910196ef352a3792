import { SessionInputError, SessionLeaseError } from '../errors.ts';
import type { Engine } from '../manager/engine.ts';
import { checkOptions } from '../session/options.ts';
import { parseCount } from '../session/parse-head.ts';
import type { SessionRow } from '../store/rows.ts';
import { compactTogether } from './compact-together.ts';
import type { TokenCounter } from './count-tokens.ts';
import { cacheOf } from './digest-cache.ts';
import { HistoryReader } from './history-reader.ts';
import { findOverlay } from './overlay.ts';
import {
  type CompactOptions,
  compactKeys,
  type ParsedCompaction,
  parseCompaction,
} from './parse-compaction.ts';

/** When a projection sums up by itself, and how. */
export interface AutoCompaction
  extends Omit<CompactOptions, 'upTo' | 'countTokens' | 'operationId'> {
  /** Tokens of turns that no summary stands for yet. */
  readonly past: number;
}

interface ParsedAutoCompaction {
  readonly past: number;
  readonly how: ParsedCompaction;
}

/** @throws SessionInputError */
export function parseAutoCompaction(
  value: unknown,
  countTokens: TokenCounter,
): ParsedAutoCompaction | null {
  if (value === undefined) return null;
  const keys = compactKeys.filter((key) => key !== 'upTo' && key !== 'countTokens');
  const { past: given, ...how } = checkOptions(value, ['past', ...keys], 'compact');
  const past = parseCount(given, 'compact.past');
  if (past === undefined) throw new SessionInputError('compact.past', 'is missing');
  return { past, how: parseCompaction({ ...how, countTokens }) };
}

/**
 * Sums up if there is too much that is not. While another process is at it, and in a session that cannot be
 * written to, the projection does without.
 */
export async function autoCompact(
  engine: Engine,
  row: SessionRow,
  { how, past }: ParsedAutoCompaction,
): Promise<void> {
  if (row.status !== 'active') return;
  const reader = await HistoryReader.open(engine, row, cacheOf(engine.store), how.countTokens);
  const before = await findOverlay(engine.store, row, reader.history, undefined);
  if (!(await isPast(reader, before?.toSeq ?? 0, past))) return;
  try {
    await compactTogether(engine, row, how);
  } catch (error) {
    if (!(error instanceof SessionLeaseError)) throw error;
  }
}

/** Whether the turns after a seq have more tokens; reads from the end, and no further than it has to. */
async function isPast(reader: HistoryReader, after: number, past: number): Promise<boolean> {
  let tokens = 0;
  for (let n = reader.pages - 1; n >= 0; n--) {
    const page = await reader.page(n, false);
    for (const digest of page) if (digest.seq > after) tokens += digest.tokens;
    if (tokens > past) return true;
    if ((page[0]?.seq ?? 0) <= after + 1) return false;
  }
  return false;
}
