import type { Engine } from '../manager/engine.ts';
import { openHistory } from '../manager/moves.ts';
import { readPage } from '../manager/read-turns.ts';
import { readTurn } from '../session/read-turn.ts';
import type { SessionTurn } from '../session/turn.ts';
import type { Segment, SessionRow } from '../store/rows.ts';
import type { History } from '../timeline/history.ts';
import type { TokenCounter } from './count-tokens.ts';
import { type DigestCache, digestPage, pageSize } from './digest-cache.ts';
import type { TurnDigest } from './digest-turn.ts';

/** Runs of turns this near to each other are read in one go. */
const nearby = 16;

/** Reads one history for one projection: pages of digests, kept or new, and single turns. */
export class HistoryReader {
  readonly #engine: Engine;
  readonly #row: SessionRow;
  readonly #cache: DigestCache;
  readonly #countTokens: TokenCounter;
  readonly history: History;
  #segments: readonly Segment[] | undefined;

  private constructor(
    engine: Engine,
    row: SessionRow,
    history: History,
    cache: DigestCache,
    countTokens: TokenCounter,
  ) {
    this.#engine = engine;
    this.#row = row;
    this.history = history;
    this.#cache = cache;
    this.#countTokens = countTokens;
  }

  /** Throws as `openHistory` does. */
  static async open(
    engine: Engine,
    row: SessionRow,
    cache: DigestCache,
    countTokens: TokenCounter,
  ): Promise<HistoryReader> {
    return new HistoryReader(engine, row, await openHistory(engine, row), cache, countTokens);
  }

  get length(): number {
    return this.#row.head.seq;
  }

  get pages(): number {
    return Math.ceil(this.length / pageSize);
  }

  /** The digests of the n-th page, from 0. */
  async page(n: number, withTerms: boolean): Promise<readonly TurnDigest[]> {
    const from = n * pageSize + 1;
    const to = Math.min(this.length, from + pageSize - 1);
    const segments = await this.#segmentsOf(from, to);
    // Of a session that was deleted and made again under its id, the first one's digests are not this one's.
    const key = `${this.#row.createdAt} ${this.#cache.key(segments, this.#countTokens, withTerms)}`;
    const kept = this.#cache.get(key);
    if (kept !== undefined) return kept;
    const digests = digestPage(await this.turns(from, to), this.#countTokens, withTerms);
    this.#cache.set(key, digests);
    return digests;
  }

  /** The digests of all turns after `after`. */
  async digests(after: number, withTerms: boolean): Promise<readonly TurnDigest[]> {
    this.#segments ??= await this.history.segments(1, this.length);
    const all: TurnDigest[] = [];
    for (let n = Math.floor(after / pageSize); n < this.pages; n++) {
      for (const digest of await this.page(n, withTerms)) if (digest.seq > after) all.push(digest);
    }
    return all;
  }

  /** Turns `from` to `to`. */
  async turns(from: number, to: number): Promise<readonly SessionTurn[]> {
    const rows = await readPage(this.#engine, this.history, this.#row, from, to);
    return rows.map(readTurn);
  }

  /** The turns with these seqs, ascending. */
  async turnsAt(seqs: readonly number[]): Promise<ReadonlyMap<number, SessionTurn>> {
    const found = new Map<number, SessionTurn>();
    for (let i = 0; i < seqs.length; ) {
      const from = seqs[i] as number;
      let to = from;
      for (; i < seqs.length; i++) {
        const seq = seqs[i] as number;
        if (seq - to > nearby || seq - from >= pageSize) break;
        to = seq;
      }
      for (const turn of await this.turns(from, to)) found.set(turn.seq, turn);
    }
    return found;
  }

  async #segmentsOf(from: number, to: number): Promise<readonly Segment[]> {
    if (this.#segments === undefined) return this.history.segments(from, to);
    const within: Segment[] = [];
    for (const segment of this.#segments) {
      if (segment.to < from) continue;
      if (segment.from > to) break;
      const { timelineId } = segment;
      within.push({
        timelineId,
        from: Math.max(from, segment.from),
        to: Math.min(to, segment.to),
      });
    }
    return within;
  }
}
