import { SessionInputError } from '../../errors.ts';
import { kindOf } from '../../session/ids.ts';
import type { GroupMember } from '../agent.ts';
import type { GroupView } from '../group-view.ts';
import {
  checkMember,
  entriesOf,
  managerOptions,
  type Selection,
  type TurnManager,
} from '../turn-manager.ts';

interface State {
  readonly round: number;
  readonly spoken: readonly string[];
}

/** In each round every agent once, the highest priority first; equals in the order in which they were added. */
export class PriorityTurnManager implements TurnManager {
  readonly #maxRounds: number;
  readonly #priorities: ReadonlyMap<string, number>;

  /** @param options `priorities` by agent, over those of `addAgent`; `maxRounds`: 10 if left out */
  constructor(options?: {
    readonly priorities?:
      | Readonly<Record<string, number>>
      | ReadonlyMap<string, number>
      | undefined;
    readonly maxRounds?: number | undefined;
  }) {
    const given = managerOptions(options, ['priorities']);
    this.#maxRounds = given.maxRounds;
    const path = 'options.priorities';
    const entries = given['priorities'] === undefined ? [] : entriesOf(given['priorities'], path);
    for (const [name, priority] of entries) {
      if (Number.isFinite(priority)) continue;
      throw new SessionInputError(
        `${path}.${name}`,
        `expected a finite number, got ${kindOf(priority)}`,
      );
    }
    this.#priorities = new Map(entries as [string, number][]);
  }

  check(agents: readonly GroupMember[]): void {
    for (const name of this.#priorities.keys()) checkMember(agents, name, 'priorities');
  }

  selectNext({ agents, managerState }: GroupView): Selection {
    const { round, spoken } = (managerState as State | null) ?? { round: 1, spoken: [] };
    const left = agents.filter(({ name }) => !spoken.includes(name));
    const fresh = left.length === 0;
    const now = fresh ? round + 1 : round;
    const agent = this.#highest(fresh ? agents : left);
    if (agent === null || now > this.#maxRounds) return { agent: null };
    const said = fresh ? [agent] : [...spoken, agent];
    return { agent, round: now, state: { round: now, spoken: said } };
  }

  #highest(agents: readonly GroupMember[]): string | null {
    const priority = ({ name, priority }: GroupMember): number =>
      this.#priorities.get(name) ?? priority;
    return agents.toSorted((a, b) => priority(b) - priority(a))[0]?.name ?? null;
  }
}
