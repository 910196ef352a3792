import { SessionInputError } from '../../errors.ts';
import { kindOf } from '../../session/ids.ts';
import { atOnceOrLater } from '../../session/is-thenable.ts';
import { parseFlag } from '../../session/options.ts';
import type { GroupView } from '../group-view.ts';
import { foldText, mentions } from '../mentions.ts';
import {
  type FallbackReason,
  managerOptions,
  nextInOrder,
  roundBySteps,
  type Selection,
  type TurnManager,
} from '../turn-manager.ts';

/** Chooses a speaker: answers a name, or a text in which exactly one agent is named. */
export type SelectSpeaker = (
  view: GroupView,
) => string | null | undefined | Promise<string | null | undefined>;

/**
 * A function, or a model behind it, names who speaks next. If it names nobody, nobody known or the last speaker
 * again, or fails, the agent after the last speaker is taken in the order in which they were added, and the
 * event `selected` says so. A round has as many steps as there are agents.
 */
export class LlmDirectedTurnManager implements TurnManager {
  readonly #maxRounds: number;
  readonly #select: SelectSpeaker;
  readonly #allowRepeats: boolean;

  /** @param options `allowRepeats`: whether an agent may speak twice in a row, false; `maxRounds`: 10 */
  constructor(options: {
    readonly select: SelectSpeaker;
    readonly allowRepeats?: boolean | undefined;
    readonly maxRounds?: number | undefined;
  }) {
    const given = managerOptions(options, ['select', 'allowRepeats']);
    this.#maxRounds = given.maxRounds;
    if (typeof given['select'] !== 'function') {
      throw new SessionInputError(
        'options.select',
        `expected a function, got ${kindOf(given['select'])}`,
      );
    }
    this.#select = given['select'] as SelectSpeaker;
    this.#allowRepeats = parseFlag(given['allowRepeats'], 'options.allowRepeats');
  }

  selectNext(view: GroupView): Selection | Promise<Selection> {
    if (roundBySteps(view) > this.#maxRounds) return { agent: null };
    let said: ReturnType<SelectSpeaker>;
    try {
      said = atOnceOrLater(this.#select(view));
    } catch {
      return byRule(view, 'failed');
    }
    if (!(said instanceof Promise)) return this.#judge(view, said);
    return said.then(
      (name) => this.#judge(view, name),
      () => byRule(view, 'failed'),
    );
  }

  #judge(view: GroupView, said: unknown): Selection {
    if (said === null || said === undefined || said === '') return byRule(view, 'nobody');
    const agent = typeof said === 'string' ? named(view, said) : undefined;
    if (agent === undefined) return byRule(view, 'unknown');
    if (agent === view.last?.agent && !this.#allowRepeats && view.agents.length > 1) {
      return byRule(view, 'repeated');
    }
    return { agent };
  }
}

function byRule(view: GroupView, fallback: FallbackReason): Selection {
  return { agent: nextInOrder(view, view.last?.agent) ?? null, fallback };
}

/** The agent of exactly this name, else the only one that the text names. */
function named(view: GroupView, said: string): string | undefined {
  const exact = view.agents.find(({ name }) => name === said.trim());
  if (exact !== undefined) return exact.name;
  const text = foldText(said);
  const found = view.agents.filter(({ name }) => mentions(text, foldText(name)));
  return found.length === 1 ? found[0]?.name : undefined;
}
