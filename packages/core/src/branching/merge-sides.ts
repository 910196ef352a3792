import { deepFreeze, type JsonObject } from '../session/json.ts';
import { checkOptions } from '../session/options.ts';
import { parseCount } from '../session/parse-head.ts';
import { readTurn } from '../session/read-turn.ts';
import type { SessionTurn } from '../session/turn.ts';
import type { SessionRow } from '../store/rows.ts';
import type { History } from '../timeline/history.ts';
import { type SpentTurn, spentTurns, type Tail } from '../timeline/tail.ts';
import type { MergeSide, MergeSides, SideTurnsOptions } from './merge-strategy.ts';

/** The two sides of a merge as they were read, and the histories after what they share. */
export interface ReadSides {
  readonly parent: SessionRow;
  readonly branch: SessionRow;
  readonly parentTail: Tail;
  readonly branchTail: Tail;
  readonly variables: {
    readonly base: JsonObject;
    readonly parent: JsonObject;
    readonly branch: JsonObject;
  };
}

/** What a strategy sees, and the rows behind the branch's turns that it was given. */
export class OpenSides {
  readonly #read: ReadSides;
  readonly #rows = new WeakMap<object, SpentTurn>();
  #shown: ReturnType<Tail['shows']> | undefined;

  constructor(read: ReadSides) {
    this.#read = read;
  }

  /** The row of a turn of the branch that the strategy read; undefined for any other object. */
  rowOf(turn: object): SpentTurn | undefined {
    return this.#rows.get(turn);
  }

  async toSides(): Promise<MergeSides> {
    const { branch, branchTail, parent, parentTail, variables } = this.#read;
    const { seq, timelineId, turnId } = await branchTail.history.point(branchTail.common);
    return Object.freeze({
      parent: this.#side(parent, parentTail.history, variables.parent, false),
      branch: this.#side(branch, branchTail.history, variables.branch, true),
      common: Object.freeze({ timelineId, seq, turnId }),
      variables: deepFreeze(variables.base),
      missing: () => this.#missing(),
    });
  }

  /** Whether the parent's history shows a turn of the branch: itself, as a copy, or in what another stands for. */
  async isShown({ row }: SpentTurn): Promise<boolean> {
    const { branchTail, parentTail } = this.#read;
    if (row.seq <= branchTail.common) return true;
    if (!branchTail.isMerged && !parentTail.isMerged) return false;
    this.#shown ??= parentTail.shows();
    return (await this.#shown)(row);
  }

  async *#missing(): AsyncGenerator<SessionTurn, void, undefined> {
    for await (const spent of this.#read.branchTail.turns()) {
      if (!(await this.isShown(spent))) yield this.#toTurn(spent);
    }
  }

  #toTurn(spent: SpentTurn): SessionTurn {
    const turn = readTurn(spent.row);
    this.#rows.set(turn, spent);
    return turn;
  }

  #side(row: SessionRow, history: History, variables: JsonObject, copied: boolean): MergeSide {
    const toTurn = (spent: SpentTurn): SessionTurn =>
      copied ? this.#toTurn(spent) : readTurn(spent.row);
    const turns = async function* (
      options?: SideTurnsOptions,
    ): AsyncGenerator<SessionTurn, void, undefined> {
      const given = checkOptions(options, ['from', 'to']);
      const from = Math.max(1, parseCount(given.from, 'from') ?? 1);
      const to = Math.min(history.length, parseCount(given.to, 'to') ?? history.length);
      for await (const spent of spentTurns(history, from, to)) yield toTurn(spent);
    };
    const find = async (turnId: string): Promise<SessionTurn | null> => {
      const found = await history.find(turnId);
      if (found === null) return null;
      for await (const spent of spentTurns(history, found.seq, found.seq)) return toTurn(spent);
      return null;
    };
    return Object.freeze({
      sessionId: row.sessionId,
      head: Object.freeze({ ...row.head }),
      variables: deepFreeze(variables),
      turns,
      find,
    });
  }
}
