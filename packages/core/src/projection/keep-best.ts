import { SessionInputError } from '../errors.ts';
import { checkOptions } from '../session/options.ts';
import { parseCount } from '../session/parse-head.ts';
import type { SessionTurn } from '../session/turn.ts';
import { estimateTokens } from './count-tokens.ts';
import type { PruneBudget, TurnWeight } from './pruner.ts';
import { tokensOf } from './shown.ts';

/** A budget of numbers; infinite where there is none. */
export interface Room {
  readonly tokens: number;
  readonly turns: number;
}

/** How to go on after something that does not fit: with what is smaller, or not at all. */
type OnMisfit = 'skip' | 'stop';

/** The indexes of the best that fit, the newest first among equals. */
export function keepBest(
  weights: readonly TurnWeight[],
  scores: ArrayLike<number>,
  room: Room,
  onMisfit: OnMisfit = 'skip',
): ReadonlySet<number> {
  const order = weights.map((_, i) => i);
  order.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || b - a);
  const kept = new Set<number>();
  let { tokens, turns } = room;
  for (const i of order) {
    const weight = weights[i] as TurnWeight;
    if (weight.tokens <= tokens && weight.turns <= turns) {
      tokens -= weight.tokens;
      turns -= weight.turns;
      kept.add(i);
    } else if (onMisfit === 'stop') break;
  }
  return kept;
}

/** A history's turns with what they weigh, and the room that its system turns leave to the others. */
export interface PruneTask {
  readonly others: readonly SessionTurn[];
  readonly weights: readonly TurnWeight[];
  readonly room: Room;
  /** The system turns and those of the others that were chosen, in order. */
  keep(chosen: ReadonlySet<number>): readonly SessionTurn[];
}

/** @throws SessionInputError */
export function openTask(history: readonly SessionTurn[], budget: PruneBudget): PruneTask {
  if (!Array.isArray(history)) throw new SessionInputError('history', 'expected an array of turns');
  const given = checkOptions(budget, ['maxTurns', 'maxTokens', 'weigh'], 'budget');
  const weigh = (given.weigh as PruneBudget['weigh']) ?? weighTurn;
  let tokens = parseCount(given.maxTokens, 'budget.maxTokens') ?? Number.POSITIVE_INFINITY;
  let turns = parseCount(given.maxTurns, 'budget.maxTurns') ?? Number.POSITIVE_INFINITY;
  const others: SessionTurn[] = [];
  for (const turn of history as readonly SessionTurn[]) {
    if (turn.role !== 'system') {
      others.push(turn);
      continue;
    }
    const weight = weigh(turn);
    tokens -= weight.tokens;
    turns -= weight.turns;
  }
  return {
    others,
    weights: others.map(weigh),
    room: { tokens, turns },
    keep: (chosen) => {
      const kept = new Set([...chosen].map((i) => others[i]));
      return history.filter((turn: SessionTurn) => turn.role === 'system' || kept.has(turn));
    },
  };
}

function weighTurn(turn: SessionTurn): TurnWeight {
  return { tokens: tokensOf(turn, estimateTokens), turns: 1 };
}
