import { SessionCorruptDataError } from '../errors.ts';
import type { Engine } from '../manager/engine.ts';
import type { SessionTurn } from '../session/turn.ts';
import type { SessionRow } from '../store/rows.ts';
import { cacheOf, pageSize } from './digest-cache.ts';
import type { TurnDigest } from './digest-turn.ts';
import type { ProjectionFormat } from './formats.ts';
import { groupTurns } from './group-turns.ts';
import { HistoryReader } from './history-reader.ts';
import { findExchange, type OpenExchange } from './open-exchange.ts';
import type { ParsedOptions, SummaryOption } from './parse-options.ts';
import { type Plan, type PlanInput, plan } from './plan.ts';
import { planOptions, prunerOf, usesTerms } from './project.ts';
import { type Projection, toProjection } from './projection.ts';
import { ScoringContextPruner } from './scoring-pruner.ts';

/** How far back the last question is looked for. */
const exchangePages = 10;

/** What a session keeps of its own for its projections. */
export interface SessionKept {
  /** Turns that stay, with their seqs in this history. */
  readonly pins: ReadonlyMap<string, number>;
  readonly summary: SummaryOption | null;
}

/**
 * The projection of a session's history. Only what the choice needs is read: digests that are not kept from
 * before, of the newest turns alone if the pruner looks no further, and the turns that are shown.
 */
export async function projectSession<F extends ProjectionFormat>(
  engine: Engine,
  row: SessionRow,
  options: ParsedOptions,
  readKept: (reader: HistoryReader) => Promise<SessionKept>,
  again = false,
): Promise<Projection<F>> {
  const reader = await HistoryReader.open(engine, row, cacheOf(engine.store), options.countTokens);
  const kept = await readKept(reader);
  const pruner = prunerOf(options);
  const exchange = await lastExchange(reader, options);
  const base = {
    ...planOptions(options, pruner, kept.summary),
    pinned: new Set(kept.pins.keys()),
    query: exchange.query,
    openFrom: exchange.from,
  };
  const tail =
    pruner instanceof ScoringContextPruner && (pruner.newestFirst || kept.summary !== null)
      ? await readTail(reader, options, kept, exchange.from, pruner)
      : null;
  const reads = pruner instanceof ScoringContextPruner ? null : await readAll(reader);
  const input: PlanInput = {
    ...base,
    digests: tail ?? (await reader.digests(0, usesTerms(pruner))),
    gaps: tail !== null,
    turnAt: (seq) => reads?.[seq - 1] as SessionTurn,
  };
  const made = await plan(input);
  if (reads !== null) return toProjection<F>(made, (seq) => reads[seq - 1], options.format);
  const turns = await readShown(reader, made);
  if (turns === null) {
    // A store that lost its newest turns may have given their places to others meanwhile.
    if (again) throw new SessionCorruptDataError(`session '${row.sessionId}'`, 'its turns change');
    cacheOf(engine.store).clear();
    return projectSession(engine, row, options, readKept, true);
  }
  return toProjection<F>(made, (seq) => turns.get(seq), options.format);
}

/** The turns of a plan; null if one is not the one that its digest was made of. */
async function readShown(
  reader: HistoryReader,
  { shown: { groups, system } }: Plan,
): Promise<ReadonlyMap<number, SessionTurn> | null> {
  const digests = [...system, ...groups].flatMap((group) => group.digests);
  const turns = await reader.turnsAt(digests.map(({ seq }) => seq).sort((a, b) => a - b));
  return digests.every(({ seq, turnId }) => turns.get(seq)?.turnId === turnId) ? turns : null;
}

async function readAll(reader: HistoryReader): Promise<readonly SessionTurn[]> {
  const turns: SessionTurn[] = [];
  for (let from = 1; from <= reader.length; from += pageSize) {
    turns.push(...(await reader.turns(from, Math.min(reader.length, from + pageSize - 1))));
  }
  return turns;
}

/** Looks for the last question a page at a time, the first one short: mostly it is among the last turns. */
async function lastExchange(
  reader: HistoryReader,
  { query, viewer }: ParsedOptions,
): Promise<OpenExchange> {
  let to = reader.length;
  for (let n = 0; n < exchangePages && to > 0; n++) {
    const from = Math.max(1, to - (n === 0 ? 10 : pageSize) + 1);
    const found = findExchange(await reader.turns(from, to), viewer, query);
    if (found !== null) return found;
    to = from - 1;
  }
  return { query: query ?? '', from: null };
}

/**
 * The digests of the system prompt, of pinned turns, and of the newest turns: those that no summary stands for,
 * and for a pruner that looks at the newest first only until more was read than can be shown; null if that is not enough to know what is shown, so that all of them are needed.
 */
async function readTail(
  reader: HistoryReader,
  { maxTokens, maxTurns, viewer }: ParsedOptions,
  { pins, summary }: SessionKept,
  openFrom: number | null,
  { newestFirst, usesTerms }: ScoringContextPruner,
): Promise<readonly TurnDigest[] | null> {
  const end = summary?.toSeq ?? 0;
  let tail: readonly TurnDigest[] = [];
  let n = reader.pages;
  for (; n > 0; n--) {
    const first = tail[0]?.seq ?? reader.length + 1;
    if (first <= end + 1) break;
    const answered = newestFirst && first <= (openFrom ?? first);
    if (answered && isEnough(tail, maxTokens, maxTurns, viewer, pins)) break;
    tail = [...(await reader.page(n - 1, usesTerms)), ...tail];
  }
  if (n === 0) return tail;
  const start = tail[0]?.seq ?? reader.length + 1;
  const before = new Map<number, TurnDigest>();
  for (let page = 0; page < n; page++) {
    const digests = await reader.page(page, usesTerms);
    const other = digests.findIndex(({ role }) => role !== 'system');
    for (const digest of other === -1 ? digests : digests.slice(0, other)) {
      before.set(digest.seq, digest);
    }
    if (other !== -1) break;
  }
  for (const seq of pins.values()) {
    if (seq >= start) continue;
    const page = await reader.page(Math.floor((seq - 1) / pageSize), usesTerms);
    const digest = page.find((digest) => digest.seq === seq);
    if (digest === undefined) continue;
    // What it belongs to may stand anywhere.
    if (digest.calls.length > 0 || digest.answers !== null) return null;
    before.set(seq, digest);
  }
  return [...[...before.values()].sort((a, b) => a.seq - b.seq), ...tail];
}

function isEnough(
  tail: readonly TurnDigest[],
  maxTokens: number,
  maxTurns: number,
  viewer: string | undefined,
  pins: ReadonlyMap<string, number>,
): boolean {
  let tokens = 0;
  let turns = 0;
  for (const group of groupTurns(tail, viewer, () => false).groups) {
    if (group.digests.some(({ turnId }) => pins.has(turnId))) continue;
    tokens += group.tokens;
    turns += group.digests.length;
  }
  return tokens > maxTokens || turns > maxTurns;
}
