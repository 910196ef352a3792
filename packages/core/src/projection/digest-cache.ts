import type { SessionTurn } from '../session/turn.ts';
import type { SessionStore } from '../store/port.ts';
import type { Segment } from '../store/rows.ts';
import { bareStore } from '../telemetry/observe-store.ts';
import type { TokenCounter } from './count-tokens.ts';
import { digestTurn, type TurnDigest } from './digest-turn.ts';
import { bagOf, type TermBag } from './lexical/terms.ts';

/** Turns of one page: what is read at a time, and kept or forgotten together. */
export const pageSize = 100;

/** About what a digest takes of memory beside its terms. */
const digestBytes = 250;

interface Page {
  readonly digests: readonly TurnDigest[];
  readonly bytes: number;
}

/**
 * Digests of pages of turns. Turns never change, so a page that was digested once need not be read again; what was
 * not asked for longest is forgotten when it grows past `maxBytes`.
 */
export class DigestCache {
  readonly #maxBytes: number;
  readonly #pages = new Map<string, Page>();
  readonly #counters = new WeakMap<TokenCounter, number>();
  #lastCounter = 0;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** About the memory that is in use. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The name under which a page is kept: the turns in it, and how they were counted. */
  key(segments: readonly Segment[], countTokens: TokenCounter, withTerms: boolean): string {
    const places = segments.map(({ from, timelineId, to }) => `${timelineId}:${from}-${to}`);
    return `${this.#counter(countTokens)} ${withTerms} ${places.join(' ')}`;
  }

  get(key: string): readonly TurnDigest[] | undefined {
    const page = this.#pages.get(key);
    if (page === undefined) return undefined;
    this.#pages.delete(key);
    this.#pages.set(key, page);
    return page.digests;
  }

  set(key: string, digests: readonly TurnDigest[]): void {
    if (this.#pages.has(key)) return;
    const terms = (digests[0]?.terms.byteLength ?? 0) * 1.5;
    const bytes = key.length * 2 + terms + digests.length * digestBytes;
    this.#pages.set(key, { digests, bytes });
    this.#bytes += bytes;
    for (const [oldest, page] of this.#pages) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#pages.delete(oldest);
      this.#bytes -= page.bytes;
    }
  }

  /** Forgets everything: what a store holds turned out to be something else. */
  clear(): void {
    this.#pages.clear();
    this.#bytes = 0;
  }

  #counter(countTokens: TokenCounter): number {
    let n = this.#counters.get(countTokens);
    if (n === undefined) {
      this.#lastCounter += 1;
      n = this.#lastCounter;
      this.#counters.set(countTokens, n);
    }
    return n;
  }
}

const caches = new WeakMap<SessionStore, DigestCache>();

/** Memory that digests may take, for each store. */
const cacheBytes = 64 * 1024 * 1024;

/** The cache that all services over one store share. */
export function cacheOf(store: SessionStore): DigestCache {
  const bare = bareStore(store);
  let cache = caches.get(bare);
  if (cache === undefined) {
    cache = new DigestCache(cacheBytes);
    caches.set(bare, cache);
  }
  return cache;
}

/** Digests of the turns of a page; their terms lie in one array. */
export function digestPage(
  turns: readonly SessionTurn[],
  countTokens: TokenCounter,
  withTerms: boolean,
): readonly TurnDigest[] {
  const digests = turns.map((turn) => digestTurn(turn, countTokens));
  if (!withTerms) return digests;
  const each = turns.map(bagOf);
  const length = each.reduce((sum, { terms }) => sum + terms.length, 0);
  const terms = new Uint32Array(length);
  const counts = new Uint16Array(length);
  let start = 0;
  return digests.map((digest, i) => {
    const own = each[i] as TermBag;
    terms.set(own.terms, start);
    counts.set(own.counts, start);
    const placed = { ...digest, terms, counts, start, end: start + own.terms.length };
    start = placed.end;
    return placed;
  });
}
