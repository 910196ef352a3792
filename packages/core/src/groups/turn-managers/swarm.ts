import { checkName } from '../../session/ids.ts';
import type { GroupMember } from '../agent.ts';
import type { GroupView } from '../group-view.ts';
import {
  checkMember,
  managerOptions,
  roundBySteps,
  type Selection,
  type TurnManager,
} from '../turn-manager.ts';

/**
 * Agents choose each other: who speaks goes on until it hands over. The first to speak is the one who had the
 * word last in this session's history, so that a new message reaches whom the conversation was handed to.
 * A round has as many steps as there are agents.
 */
export class SwarmTurnManager implements TurnManager {
  readonly #maxRounds: number;
  readonly #first: string | null;

  /** @param options `firstAgent` opens a history without agents: the first added if left out. `maxRounds`: 10 */
  constructor(options?: {
    readonly firstAgent?: string | undefined;
    readonly maxRounds?: number | undefined;
  }) {
    const given = managerOptions(options, ['firstAgent']);
    this.#maxRounds = given.maxRounds;
    const first = given['firstAgent'];
    this.#first = first === undefined ? null : checkName(first, 'options.firstAgent');
  }

  check(agents: readonly GroupMember[]): void {
    if (this.#first !== null) checkMember(agents, this.#first, 'firstAgent');
  }

  selectNext(view: GroupView): Selection {
    if (roundBySteps(view) > this.#maxRounds) return { agent: null };
    const { agents, last } = view;
    const before = last?.agent ?? view.turns.findLast(({ agent }) => agent !== undefined)?.agent;
    const known = agents.some(({ name }) => name === before) ? before : undefined;
    return { agent: known ?? this.#first ?? agents[0]?.name ?? null };
  }
}
