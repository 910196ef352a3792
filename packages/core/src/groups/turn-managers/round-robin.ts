import type { GroupView } from '../group-view.ts';
import { managerOptions, type Selection, type TurnManager } from '../turn-manager.ts';

/** Each agent once a round, in the order in which they were added. Hand-overs do not change whose turn comes. */
export class RoundRobinTurnManager implements TurnManager {
  readonly #maxRounds: number;

  /** @param options `maxRounds`: 10 if left out */
  constructor(options?: { readonly maxRounds?: number | undefined }) {
    this.#maxRounds = managerOptions(options, []).maxRounds;
  }

  selectNext({ agents, managerState }: GroupView): Selection {
    const before = managerState as { readonly agent: string; readonly round: number } | null;
    const at = agents.findIndex(({ name }) => name === before?.agent) + 1;
    const round = (before?.round ?? 1) + (at >= agents.length ? 1 : 0);
    const agent = agents[at % agents.length]?.name ?? null;
    if (agent === null || round > this.#maxRounds) return { agent: null };
    return { agent, round, state: { agent, round } };
  }
}
