import { isPlainObject } from '../session/json.ts';
import type { UsageSums } from './rows.ts';

export const dayMs = 86_400_000;

/** The day of a time in milliseconds: days since 1970, UTC. */
export function dayOf(at: number): number {
  return Math.floor(at / dayMs);
}

/** A day as it is written: `2026-03-01`. */
export function dayText(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

/** What one turn used, as its body tells. */
export interface TurnUsage {
  readonly model: string | null;
  readonly agent: string | null;
  /** How often each tool was called. */
  readonly tools: ReadonlyMap<string, number>;
  readonly sums: UsageSums;
}

export const noUsage: UsageSums = Object.freeze({
  turns: 0,
  calls: 0,
  unpriced: 0,
  tokens: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  cost: 0,
});

/** The names of the sums, in one order. */
export const usageSums = Object.keys(noUsage) as readonly (keyof UsageSums)[];

/**
 * What counts of one number of one turn at most, so that sums of a store stay in range whatever was told: a
 * million USD, and more tokens than there are.
 */
const most = 1e15;

/**
 * What a turn used. A body that cannot be read counts as a turn that used nothing: who reads that turn is told,
 * and a report or a delete must not fail for it.
 */
export function usageOfTurn(body: string): TurnUsage {
  const turn = readBody(body);
  const usage = isPlainObject(turn.usage) ? turn.usage : {};
  const paid = turn.cost ?? turn.priced;
  const tools = new Map<string, number>();
  let calls = 0;
  for (const call of Array.isArray(turn.toolCalls) ? (turn.toolCalls as unknown[]) : []) {
    const name = isPlainObject(call) ? nameOf(call.name) : null;
    if (name === null) continue;
    tools.set(name, (tools.get(name) ?? 0) + 1);
    calls += 1;
  }
  const tokens = countOf(usage.totalTokens);
  return {
    model: nameOf(turn.model),
    agent: nameOf(turn.agent),
    tools,
    sums: {
      turns: 1,
      calls,
      unpriced: tokens > 0 && paid === undefined ? 1 : 0,
      tokens,
      inputTokens: countOf(usage.inputTokens),
      outputTokens: countOf(usage.outputTokens),
      cacheReadTokens: countOf(usage.cacheReadTokens),
      cacheWriteTokens: countOf(usage.cacheWriteTokens),
      reasoningTokens: countOf(usage.reasoningTokens),
      cost: countOf(paid),
    },
  };
}

function readBody(body: string): Record<string, unknown> {
  try {
    const turn: unknown = JSON.parse(body);
    return isPlainObject(turn) ? turn : {};
  } catch {
    return {};
  }
}

function nameOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function countOf(value: unknown): number {
  return Number.isSafeInteger(value) ? Math.min(Math.max(value as number, 0), most) : 0;
}

/** Adds one turn's or row's sums to another's. */
export function addUsage(to: { -readonly [K in keyof UsageSums]: number }, more: UsageSums): void {
  for (const key of usageSums) to[key] += more[key];
}
