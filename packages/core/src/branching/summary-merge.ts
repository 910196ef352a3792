import { SessionInputError } from '../errors.ts';
import { kindOf, shapeOf } from '../session/ids.ts';
import { isPlainObject } from '../session/json.ts';
import type { SessionTurn, TurnInput } from '../session/turn.ts';
import type { MergeResult, MergeSides, MergeStrategy } from './merge-strategy.ts';

/** Says in one turn what some turns said: a text, or a turn with its model, usage and cost. */
export type Summarise = (
  turns: readonly SessionTurn[],
) => string | Omit<TurnInput, 'turnId'> | Promise<string | Omit<TurnInput, 'turnId'>>;

/**
 * Brings one new turn in place of all that the branch has and the parent has not; its `origins` tell which they are.
 * A text becomes an assistant's turn. If the parent lacks nothing, nothing is summarised.
 */
export class SummaryMerge implements MergeStrategy {
  readonly #summarise: Summarise;

  constructor(summarise: Summarise) {
    if (typeof summarise !== 'function') {
      throw new SessionInputError('summarise', `expected a function, got ${kindOf(summarise)}`);
    }
    this.#summarise = summarise;
  }

  async merge(sides: MergeSides): Promise<MergeResult> {
    const turns: SessionTurn[] = [];
    for await (const turn of sides.missing()) turns.push(turn);
    if (turns.length === 0) return { turns };
    const said = await this.#summarise(Object.freeze(turns));
    if (typeof said !== 'string' && !isPlainObject(said)) {
      throw new SessionInputError('summarise', `answered ${shapeOf(said)}, not a text or a turn`);
    }
    const turn = typeof said === 'string' ? { role: 'assistant' as const, content: said } : said;
    return { turns: [{ turn: turn as TurnInput, standsFor: turns }] };
  }
}
