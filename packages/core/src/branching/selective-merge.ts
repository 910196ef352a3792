import { SessionInputError } from '../errors.ts';
import { checkName, kindOf } from '../session/ids.ts';
import { mapItems } from '../session/json.ts';
import { readInput } from '../session/read-input.ts';
import type { SessionTurn } from '../session/turn.ts';
import type { MergeResult, MergeSides, MergeStrategy } from './merge-strategy.ts';

/** What of a turn matters for which others belong to it. */
interface Link {
  readonly turnId: string;
  readonly calls: readonly string[];
  readonly answers: string | undefined;
  readonly turn: SessionTurn | null;
}

/**
 * Brings the named turns of the branch, in the branch's order; those that the parent has are there already. A tool
 * call and its results come together.
 *
 * @throws SessionInputError if the branch has no turn of a name, or if a call or a result that belongs to a named
 * turn is not named
 */
export class SelectiveMerge implements MergeStrategy {
  readonly #named: ReadonlySet<string>;

  constructor(turnIds: readonly string[]) {
    this.#named = readInput('turnIds', () => {
      if (!Array.isArray(turnIds)) {
        throw new SessionInputError('turnIds', `expected an array, got ${kindOf(turnIds)}`);
      }
      return new Set(mapItems(turnIds, (id, i) => checkName(id, `turnIds[${i}]`)));
    });
  }

  /** The names, so that an operation is told from one that names others. */
  toJSON(): { readonly turnIds: readonly string[] } {
    return { turnIds: [...this.#named] };
  }

  async merge(sides: MergeSides): Promise<MergeResult> {
    const links: Link[] = [];
    for await (const turn of sides.missing()) {
      const calls = (turn.toolCalls ?? []).map(({ id }) => id);
      const named = this.#named.has(turn.turnId);
      links.push({
        turnId: turn.turnId,
        calls,
        answers: turn.toolCallId,
        turn: named ? turn : null,
      });
    }
    await this.#checkNames(sides, links);
    checkTogether(links);
    // Of several with one id the newest is meant.
    const chosen = new Map<string, SessionTurn>();
    for (const { turn } of links) if (turn !== null) chosen.set(turn.turnId, turn);
    return { turns: [...chosen.values()].sort((a, b) => a.seq - b.seq) };
  }

  async #checkNames({ branch }: MergeSides, links: readonly Link[]): Promise<void> {
    const missing = new Set(links.map(({ turnId }) => turnId));
    for (const id of this.#named) {
      if (missing.has(id) || (await branch.find(id)) !== null) continue;
      throw new SessionInputError('turnIds', `the branch has no turn '${id}'`);
    }
  }
}

/** A call and its results are adjacent in meaning, not in place: a result belongs to the last call before it. */
function checkTogether(links: readonly Link[]): void {
  const callers = new Map<string, Link>();
  for (const link of links) {
    if (link.answers !== undefined) {
      const caller = callers.get(link.answers);
      if (caller !== undefined) checkPair(caller, link);
    }
    for (const call of link.calls) callers.set(call, link);
  }
}

function checkPair(caller: Link, result: Link): void {
  if ((caller.turn === null) === (result.turn === null)) return;
  const [here, lacking] = caller.turn === null ? [result, caller] : [caller, result];
  const what = caller.turn === null ? 'the call' : 'a result';
  throw new SessionInputError(
    'turnIds',
    `the turn '${lacking.turnId}' is missing: it has ${what} that belongs to '${here.turnId}'; name both or neither`,
  );
}
