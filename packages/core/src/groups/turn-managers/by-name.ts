import { SessionInputError } from '../../errors.ts';
import { kindOf } from '../../session/ids.ts';
import type { TurnManager } from '../turn-manager.ts';
import { PriorityTurnManager } from './priority.ts';
import { RoundRobinTurnManager } from './round-robin.ts';

/**
 * The turn manager that a caller gave, or the one of a strategy's name.
 *
 * @throws SessionInputError also for strategies that need more than a name
 */
export function toTurnManager(given: unknown, strategy: string): TurnManager {
  if (typeof (given as TurnManager | null | undefined)?.selectNext === 'function') {
    return given as TurnManager;
  }
  const path = 'options.turnManager';
  const name = given === undefined ? strategy : given;
  switch (name) {
    case 'round_robin':
      return new RoundRobinTurnManager();
    case 'priority':
      return new PriorityTurnManager();
    case 'topic':
      throw new SessionInputError(
        path,
        "the strategy 'topic' needs its topics: give a TopicBasedTurnManager",
      );
    case 'llm_directed':
      throw new SessionInputError(
        path,
        "the strategy 'llm_directed' needs a model: give an LlmDirectedTurnManager",
      );
    default:
      throw new SessionInputError(path, `expected a turn manager, got ${kindOf(name)}`);
  }
}
