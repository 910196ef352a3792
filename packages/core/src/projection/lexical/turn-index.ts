import type { SessionTurn } from '../../session/turn.ts';
import { estimateTokens } from '../count-tokens.ts';
import type { TurnWeight } from '../pruner.ts';
import { tokensOf } from '../shown.ts';
import type { Hits } from './score-windows.ts';
import { bagOf } from './terms.ts';

/** Where each term of a row of turns is. It is kept with the row's first turn, and grows with the row. */
export class TurnIndex {
  readonly #turns: SessionTurn[] = [];
  readonly #hits = new Map<number, { at: number[]; often: number[] }>();
  readonly #weights: TurnWeight[] = [];

  /** The index of these turns: the one that is kept if they begin as its turns do. */
  static of(turns: readonly SessionTurn[]): TurnIndex {
    const [first] = turns;
    if (first === undefined) return new TurnIndex();
    const known = kept.get(first) ?? new TurnIndex();
    const index = known.#begins(turns) ? known : new TurnIndex();
    for (let i = index.#turns.length; i < turns.length; i++) index.#add(turns[i] as SessionTurn);
    kept.set(first, index);
    return index;
  }

  /** Where the terms are among the first `length` turns; for each term in the order asked. */
  hits(asked: Uint32Array, length: number): readonly Hits[] {
    return Array.from(asked, (term): Hits => {
      const { at, often } = this.#hits.get(term) ?? nowhere;
      let count = at.length;
      while (count > 0 && (at[count - 1] as number) >= length) count -= 1;
      return { at, often, count };
    });
  }

  /** An estimate of what each turn costs. */
  get weights(): readonly TurnWeight[] {
    return this.#weights;
  }

  /** Whether the turns and those in here are the same as far as both go. */
  #begins(turns: readonly SessionTurn[]): boolean {
    const length = Math.min(turns.length, this.#turns.length);
    for (let i = 0; i < length; i++) if (turns[i] !== this.#turns[i]) return false;
    return true;
  }

  #add(turn: SessionTurn): void {
    const place = this.#turns.length;
    this.#turns.push(turn);
    this.#weights.push({ tokens: tokensOf(turn, estimateTokens), turns: 1 });
    const { counts, terms } = bagOf(turn);
    for (let n = 0; n < terms.length; n++) {
      const term = terms[n] as number;
      let hits = this.#hits.get(term);
      if (hits === undefined) {
        hits = { at: [], often: [] };
        this.#hits.set(term, hits);
      }
      hits.at.push(place);
      hits.often.push(counts[n] as number);
    }
  }
}

const kept = new WeakMap<SessionTurn, TurnIndex>();
const nowhere: { at: number[]; often: number[] } = { at: [], often: [] };
