import { SessionInputError } from '../errors.ts';
import type { Engine } from '../manager/engine.ts';
import { checkPrintable, kindOf } from '../session/ids.ts';
import { limits } from '../session/limits.ts';
import { toUsd } from '../session/money.ts';
import { checkOptions } from '../session/options.ts';
import { type Page, type PageOptions, parseCursor, parseLimit, toCursor } from '../session/page.ts';
import { parseTime, toIso } from '../session/time.ts';
import type { ReportQuery } from '../store/port.ts';
import type { ReportGroup, UsageSums } from '../store/rows.ts';
import { dayMs, dayOf } from '../store/usage.ts';
import type { UnpricedUse } from './unpriced.ts';

/** By what usage is grouped. */
export type ReportGrouping = ReportQuery['groupBy'];

/** What to report. */
export interface ReportOptions extends PageOptions {
  readonly groupBy: ReportGrouping;
  /**
   * A day like `2026-03-01`, or an ISO 8601 time: whole days of UTC are counted, by the times of the turns,
   * from the day of `from` to the one before `to`; the day in whose middle `to` lies counts too. No bound if
   * left out.
   */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Within `as(owner)` both are left out. */
  readonly userId?: string | undefined;
  /** Null: of users without a tenant; of any if left out. */
  readonly tenantId?: string | null | undefined;
}

/** What turns used. Each one counts once, where it was first written. */
export interface UsageTotals {
  readonly turns: number;
  readonly toolCalls: number;
  readonly totalTokens: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly reasoningTokens: number;
  /** USD of the turns that have a cost; null if tokens were used and no turn has one. */
  readonly cost: number | null;
  /** Turns that used tokens and have no cost. */
  readonly unpricedTurns: number;
}

export interface UsageGroup extends UsageTotals {
  /** The day like `2026-03-01`, the model, agent, user or tool; null for the turns that have none. */
  readonly key: string | null;
  /** A user's tenant; null in other groups. */
  readonly tenantId: string | null;
}

/** A page of groups, in order of their keys, and what all of them come to. */
export interface UsageReport extends Page<UsageGroup> {
  readonly groupBy: ReportGrouping;
  /** The span that was counted, whole days: `from` is in it, `to` is not; null for no bound. */
  readonly from: string | null;
  readonly to: string | null;
  /** All groups, those of other pages too. A turn that called two tools is in two groups, and here once. */
  readonly total: UsageTotals;
  /** Turns that used tokens and have no cost, by model; at most 1,000 models. */
  readonly unpriced: readonly UnpricedUse[];
}

const groupings: ReadonlySet<unknown> = new Set(['day', 'model', 'agent', 'user', 'tool']);
const optionKeys = ['groupBy', 'from', 'to', 'limit', 'cursor'];

/** @throws SessionInputError */
export async function reportUsage(
  engine: Engine,
  options: ReportOptions | undefined,
): Promise<UsageReport> {
  const owners = engine.owner === undefined ? ['userId', 'tenantId'] : [];
  const given = checkOptions(options, [...optionKeys, ...owners], 'options');
  const groupBy = parseGrouping(given.groupBy);
  const from = parseDay(given.from, 'from', Math.floor);
  const to = parseDay(given.to, 'to', Math.ceil);
  if (from !== undefined && to !== undefined && from > to) {
    throw new SessionInputError(
      'from',
      `is after to: ${kindOf(given.from)} and ${kindOf(given.to)}`,
    );
  }
  const limit = parseLimit(given.limit);
  const list = `groups by ${groupBy}`;
  const after = parseCursor(given.cursor, list, ['text', 'text']);
  const span = {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...ownerOf(engine, given),
  };
  const { groups, total } = await engine.store.report({
    groupBy,
    ...span,
    limit: limit + 1,
    ...(after === undefined ? {} : { after: { key: after[0], tenantId: after[1] } }),
  });
  const last = groups.length > limit ? groups[limit - 1] : undefined;
  return Object.freeze({
    groupBy,
    from: from === undefined ? null : toIso(from * dayMs),
    to: to === undefined ? null : toIso(to * dayMs),
    items: Object.freeze(groups.slice(0, limit).map(toGroup)),
    nextCursor: last === undefined ? null : toCursor(list, last.key, last.tenantId),
    total: Object.freeze(toTotals(total)),
    unpriced: await unpricedOf(engine, span, total),
  });
}

type Span = Pick<ReportQuery, 'from' | 'to' | 'userId' | 'tenantId'>;

/** The models without a price. */
export async function unpricedOf(
  engine: Engine,
  span: Span,
  total: UsageSums,
): Promise<readonly UnpricedUse[]> {
  if (total.unpriced === 0) return Object.freeze([]);
  const query = { groupBy: 'model', unpriced: true, limit: limits.pageMax } as const;
  const { groups } = await engine.store.report({ ...query, ...span });
  const uses = groups.map(({ key, sums }) => Object.freeze({ model: key, turns: sums.unpriced }));
  return Object.freeze(uses);
}

export function toTotals(sums: UsageSums): UsageTotals {
  return {
    turns: sums.turns,
    toolCalls: sums.calls,
    totalTokens: sums.tokens,
    inputTokens: sums.inputTokens,
    outputTokens: sums.outputTokens,
    cacheReadTokens: sums.cacheReadTokens,
    cacheWriteTokens: sums.cacheWriteTokens,
    reasoningTokens: sums.reasoningTokens,
    cost: sums.cost === 0 && sums.unpriced > 0 ? null : toUsd(sums.cost),
    unpricedTurns: sums.unpriced,
  };
}

function toGroup({ key, sums, tenantId }: ReportGroup): UsageGroup {
  return Object.freeze({ key, tenantId, ...toTotals(sums) });
}

function parseGrouping(value: unknown): ReportGrouping {
  if (groupings.has(value)) return value as ReportGrouping;
  throw new SessionInputError(
    'groupBy',
    `expected 'day', 'model', 'agent', 'user' or 'tool', got ${kindOf(value)}`,
  );
}

/** Days since 1970 of a day, or of a time on the day that `round` says. */
function parseDay(
  value: unknown,
  path: string,
  round: (days: number) => number,
): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value)) {
    return dayOf(parseTime(`${value}T00:00:00Z`, path));
  }
  return round(parseTime(value, path) / dayMs);
}

/** Whose usage: the scope's owner, or whom the options name. */
export function ownerOf(
  engine: Engine,
  given: Readonly<Record<string, unknown>>,
): Pick<ReportQuery, 'userId' | 'tenantId'> {
  if (engine.owner !== undefined) return engine.owner;
  const { tenantId, userId } = given;
  return {
    ...(userId === undefined ? {} : { userId: checkPrintable(userId, 'userId') }),
    ...(tenantId === undefined
      ? {}
      : { tenantId: tenantId === null ? null : checkPrintable(tenantId, 'tenantId') }),
  };
}
