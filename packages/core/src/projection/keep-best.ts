import { SessionInputError } from '../errors.ts';
import { checkOptions } from '../session/options.ts';
import { parseCount } from '../session/parse-head.ts';
import type { SessionTurn } from '../session/turn.ts';
import { BestFirst } from './best-first.ts';
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
  const kept = new Set<number>();
  let { tokens, turns } = room;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < weights.length; i++) {
    least = Math.min(least, (weights[i] as TurnWeight).tokens);
  }
  // Mostly a small part of a history is kept: it need not be sorted.
  const best = new BestFirst(scores);
  for (let i = best.next(); i !== undefined; i = best.next()) {
    const weight = weights[i] as TurnWeight;
    if (weight.tokens <= tokens && weight.turns <= turns) {
      tokens -= weight.tokens;
      turns -= weight.turns;
      kept.add(i);
      if (turns <= 0 || tokens < least) break;
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
  const places: number[] = [];
  const weights: TurnWeight[] = [];
  const kept = new Uint8Array(history.length);
  for (let i = 0; i < history.length; i++) {
    const turn = history[i] as SessionTurn;
    const weight = weigh(turn);
    if (turn.role !== 'system') {
      others.push(turn);
      places.push(i);
      weights.push(weight);
      continue;
    }
    kept[i] = 1;
    tokens -= weight.tokens;
    turns -= weight.turns;
  }
  return {
    others,
    weights,
    room: { tokens, turns },
    keep: (chosen) => {
      for (const i of chosen) kept[places[i] as number] = 1;
      return history.filter((_, i) => kept[i] === 1);
    },
  };
}

function weighTurn(turn: SessionTurn): TurnWeight {
  return { tokens: tokensOf(turn, estimateTokens), turns: 1 };
}
