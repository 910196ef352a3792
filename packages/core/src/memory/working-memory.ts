import { SessionInputError } from '../errors.ts';
import { parseCounter, type TokenCounter } from '../projection/count-tokens.ts';
import { RelevanceContextPruner } from '../projection/relevance-pruner.ts';
import { tokensOf } from '../projection/shown.ts';
import { kindOf } from '../session/ids.ts';
import { checkOptions } from '../session/options.ts';
import { parseCount } from '../session/parse-head.ts';
import type { SessionTurn } from '../session/turn.ts';
import type { MemoryEntry } from './memory-entry.ts';

/**
 * What an application has at hand of the conversations that go on: it gets each turn that is added through this
 * process, in order. Everything is by session, so that nothing of one reaches another.
 */
export interface WorkingMemory {
  /** Takes a turn, right after it was stored. The call that added it does not wait for the answer. */
  add(entry: MemoryEntry): void | Promise<void>;
  /** What of a session fits a query, in at most so many tokens, in order of seq. */
  assemble(
    query: string,
    tokenBudget: number,
    sessionId: string,
  ): readonly MemoryEntry[] | Promise<readonly MemoryEntry[]>;
  /** All that there is of a session, in order of seq. */
  getContextEntries(sessionId: string): readonly MemoryEntry[] | Promise<readonly MemoryEntry[]>;
  /** Forgets a session, because it ended or moved, and answers with what there was of it; all without an id. */
  flush(sessionId?: string): readonly MemoryEntry[] | Promise<readonly MemoryEntry[]>;
}

/** The bounds of a working memory in this process. */
export interface InMemoryWorkingMemoryOptions {
  /** Tokens that are kept of a session, the newest; 8,000. */
  readonly maxTokens?: number | undefined;
  /** Sessions that are kept; the one that was not added to for longest goes first; 1,000. */
  readonly maxSessions?: number | undefined;
  /** Counts the tokens of a text; a good guess if left out. */
  readonly countTokens?: TokenCounter | undefined;
}

interface Item {
  readonly entry: MemoryEntry;
  readonly characters: number;
  /** Counted when it is first read. */
  tokens: number | null;
}

interface Kept {
  readonly items: Item[];
  characters: number;
}

/** A token is rarely longer: so many characters hold at least the tokens that are kept. */
const charactersOfToken = 8;

/** A working memory in this process, within bounds. `assemble` chooses by shared words and recency. */
export class InMemoryWorkingMemory implements WorkingMemory {
  readonly #maxTokens: number;
  readonly #maxSessions: number;
  readonly #countTokens: TokenCounter;
  /** In the order in which they were last added to. */
  readonly #sessions = new Map<string, Kept>();
  readonly #pruner = new RelevanceContextPruner();

  constructor(options: InMemoryWorkingMemoryOptions = {}) {
    const given = checkOptions(options, ['maxTokens', 'maxSessions', 'countTokens']);
    this.#maxTokens = parseCount(given.maxTokens, 'maxTokens') ?? 8_000;
    this.#maxSessions = parseCount(given.maxSessions, 'maxSessions') ?? 1_000;
    this.#countTokens = parseCounter(given.countTokens);
  }

  /** Counts no tokens, which would cost more than all the rest of adding a turn: reading does. */
  add(entry: MemoryEntry): void {
    const { sessionId, turn } = entry;
    const kept = this.#sessions.get(sessionId) ?? { items: [], characters: 0 };
    const characters = charactersOf(turn);
    kept.items.push({ entry, characters, tokens: null });
    kept.characters += characters;
    while (kept.characters > this.#maxTokens * charactersOfToken) {
      kept.characters -= kept.items.shift()?.characters ?? kept.characters;
    }
    this.#sessions.delete(sessionId);
    this.#sessions.set(sessionId, kept);
    if (this.#sessions.size <= this.#maxSessions) return;
    this.#sessions.delete(this.#sessions.keys().next().value as string);
  }

  /** The newest of a session within the bound of tokens. */
  #within(sessionId: string): readonly Item[] {
    const items = this.#sessions.get(sessionId)?.items ?? [];
    let left = this.#maxTokens;
    let first = items.length;
    while (first > 0) {
      const item = items[first - 1] as Item;
      item.tokens ??= tokensOf(item.entry.turn, this.#countTokens);
      left -= item.tokens;
      if (left < 0) break;
      first -= 1;
    }
    return items.slice(first);
  }

  /** System turns are left out: they are the prompt's. @throws SessionInputError */
  assemble(query: string, tokenBudget: number, sessionId: string): readonly MemoryEntry[] {
    if (typeof query !== 'string') {
      throw new SessionInputError('query', `expected a text, got ${kindOf(query)}`);
    }
    const maxTokens = parseCount(tokenBudget, 'tokenBudget') ?? 0;
    const said = this.#within(sessionId).filter(({ entry }) => entry.turn.role !== 'system');
    const byTurn = new Map(said.map((item) => [item.entry.turn, item]));
    const weigh = (turn: SessionTurn) => ({ tokens: byTurn.get(turn)?.tokens ?? 0, turns: 1 });
    const turns = this.#pruner.prune([...byTurn.keys()], query, { maxTokens, weigh });
    return Object.freeze(turns.flatMap((turn) => byTurn.get(turn)?.entry ?? []));
  }

  getContextEntries(sessionId: string): readonly MemoryEntry[] {
    return Object.freeze(this.#within(sessionId).map(({ entry }) => entry));
  }

  flush(sessionId?: string): readonly MemoryEntry[] {
    const ids = sessionId === undefined ? [...this.#sessions.keys()] : [sessionId];
    const flushed = ids.flatMap((id) => this.getContextEntries(id));
    for (const id of ids) this.#sessions.delete(id);
    return Object.freeze(flushed);
  }
}

/** What a turn takes to keep, roughly: its text, and the arguments of its calls. */
function charactersOf({ content, toolCalls }: SessionTurn): number {
  let characters = 32;
  if (typeof content === 'string') characters += content.length;
  else for (const part of content) characters += JSON.stringify(part).length;
  for (const call of toolCalls ?? []) characters += JSON.stringify(call).length;
  return characters;
}
