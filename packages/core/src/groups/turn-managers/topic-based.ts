import { SessionInputError } from '../../errors.ts';
import { checkName, checkPrintable } from '../../session/ids.ts';
import type { GroupMember } from '../agent.ts';
import { type GroupView, textOf } from '../group-view.ts';
import { foldText, mentions } from '../mentions.ts';
import {
  checkMember,
  entriesOf,
  managerOptions,
  roundBySteps,
  type Selection,
  type TurnManager,
} from '../turn-manager.ts';

/**
 * The first keyword that stands in the latest turn, as a whole word and in any language, names the agent; case
 * does not count. Without one the fallback agent speaks, and without that nobody. A round has as many steps as
 * there are agents.
 */
export class TopicBasedTurnManager implements TurnManager {
  readonly #maxRounds: number;
  /** Folded keywords and their agents, in the order given. */
  readonly #topics: readonly (readonly [string, string])[];
  readonly #fallback: string | null;

  /** @param options `topicMap`: keyword → agent; a Map keeps any keywords in order. `maxRounds`: 10 if left out */
  constructor(options: {
    readonly topicMap: Readonly<Record<string, string>> | ReadonlyMap<string, string>;
    readonly fallbackAgent?: string | undefined;
    readonly maxRounds?: number | undefined;
  }) {
    const given = managerOptions(options, ['topicMap', 'fallbackAgent']);
    this.#maxRounds = given.maxRounds;
    this.#topics = entriesOf(given['topicMap'], 'options.topicMap').map(([keyword, agent]) => {
      const word = foldText(checkPrintable(keyword, 'options.topicMap (a keyword)')).trim();
      if (word === '') throw new SessionInputError('options.topicMap', 'a keyword is empty');
      return [word, checkName(agent, 'options.topicMap')];
    });
    const fallback = given['fallbackAgent'];
    this.#fallback = fallback === undefined ? null : checkName(fallback, 'options.fallbackAgent');
  }

  check(agents: readonly GroupMember[]): void {
    for (const [, agent] of this.#topics) checkMember(agents, agent, 'topicMap');
    if (this.#fallback !== null) checkMember(agents, this.#fallback, 'fallbackAgent');
  }

  selectNext(view: GroupView): Selection {
    if (roundBySteps(view) > this.#maxRounds) return { agent: null };
    const { latest } = view;
    const text = latest === undefined ? '' : foldText(textOf(latest));
    const found = this.#topics.find(([word]) => mentions(text, word));
    return { agent: found?.[1] ?? this.#fallback };
  }
}
