import type { Engine } from '../manager/engine.ts';
import { openHistory } from '../manager/moves.ts';
import { limits } from '../session/limits.ts';
import { toUsd } from '../session/money.ts';
import { readTurn } from '../session/read-turn.ts';
import { Unpriced, type UnpricedUse } from './unpriced.ts';

/** What one session's current history adds up to. */
export interface SessionReport {
  readonly sessionId: string;
  readonly totalTurns: number;
  readonly totalTokens: number;
  /** USD of the turns that have a cost; `unpriced` has those that have none. */
  readonly totalCost: number;
  /** What was first written in this session, left behind by moves or not. */
  readonly lifetimeTurns: number;
  readonly lifetimeTokens: number;
  readonly lifetimeCost: number;
  /** Turns of the current history that used tokens and have no cost, by model. */
  readonly unpriced: readonly UnpricedUse[];
  /** From the first turn to the last. */
  readonly durationSeconds: number;
  /** In order of appearance. */
  readonly agentsUsed: readonly string[];
  readonly modelsUsed: readonly string[];
  /** The names of the tools that were called, in order of appearance, and how often any was called. */
  readonly toolsInvoked: readonly string[];
  readonly toolCalls: number;
  /** The mean time between a turn and the one before it; null with fewer than two turns. */
  readonly avgResponseTimeMs: number | null;
}

/** @throws SessionNotFoundError */
export async function reportSession(engine: Engine, sessionId: string): Promise<SessionReport> {
  const row = await engine.session(sessionId);
  const history = await openHistory(engine, row);
  const agents = new Set<string>();
  const models = new Set<string>();
  const tools = new Set<string>();
  const unpriced = new Unpriced();
  let calls = 0;
  let first: number | null = null;
  let last: number | null = null;
  let between = 0;
  for (let from = 1; from <= row.head.seq; from += limits.page) {
    for (const turnRow of await history.turns(from, from + limits.page - 1)) {
      const { agent, cost, model, toolCalls, usage } = readTurn(turnRow);
      if (agent !== undefined) agents.add(agent);
      if (model !== undefined) models.add(model);
      for (const { name } of toolCalls ?? []) tools.add(name);
      if (cost === undefined) unpriced.add(model ?? null, usage?.totalTokens ?? 0);
      calls += toolCalls?.length ?? 0;
      if (last !== null) between += Math.max(0, turnRow.at - last);
      first ??= turnRow.at;
      last = turnRow.at;
    }
  }
  return Object.freeze({
    sessionId,
    totalTurns: row.head.seq,
    totalTokens: row.tokens,
    totalCost: toUsd(row.cost),
    lifetimeTurns: row.lifetime.turns,
    lifetimeTokens: row.lifetime.tokens,
    lifetimeCost: toUsd(row.lifetime.cost),
    unpriced: unpriced.list(),
    durationSeconds: first === null || last === null ? 0 : Math.max(0, last - first) / 1000,
    agentsUsed: Object.freeze([...agents]),
    modelsUsed: Object.freeze([...models]),
    toolsInvoked: Object.freeze([...tools]),
    toolCalls: calls,
    avgResponseTimeMs: row.head.seq < 2 ? null : between / (row.head.seq - 1),
  });
}
