import type { SessionTurn, TurnRole } from '../session/turn.ts';
import type { TokenCounter } from './count-tokens.ts';
import { partsOf, speaks, tokensOf } from './shown.ts';

/** What choosing turns needs to know of one, without its text: small enough to keep for a whole history. */
export interface TurnDigest {
  readonly turnId: string;
  readonly seq: number;
  readonly role: TurnRole;
  readonly tokens: number;
  /** Whether there is any text, file or data in it. */
  readonly speaks: boolean;
  readonly aborted: boolean;
  /** The ids of its calls, in order; an id may come again in another turn. */
  readonly calls: readonly string[];
  /** The id of the call that it answers. */
  readonly answers: string | null;
  readonly visibleTo?: readonly string[];
  readonly hiddenFrom?: readonly string[];
  /**
   * Its terms, ascending, from `start` to `end`, and how often each comes; the arrays are shared with the turns
   * around it. Empty unless they were asked for.
   */
  readonly terms: Uint32Array;
  readonly counts: Uint16Array;
  readonly start: number;
  readonly end: number;
}

const none: readonly string[] = Object.freeze([]);
const noTerms = new Uint32Array(0);
const noCounts = new Uint16Array(0);

/** A digest without terms. */
export function digestTurn(turn: SessionTurn, countTokens: TokenCounter): TurnDigest {
  const { hiddenFrom, role, toolCalls, visibleTo } = turn;
  return {
    turnId: turn.turnId,
    seq: turn.seq,
    role,
    tokens: tokensOf(turn, countTokens),
    speaks: partsOf(turn).some(speaks),
    aborted: turn.state === 'aborted',
    calls: role === 'assistant' && toolCalls !== undefined ? toolCalls.map(({ id }) => id) : none,
    answers: role === 'tool' ? (turn.toolCallId ?? '') : null,
    ...(visibleTo === undefined ? {} : { visibleTo }),
    ...(hiddenFrom === undefined ? {} : { hiddenFrom }),
    terms: noTerms,
    counts: noCounts,
    start: 0,
    end: 0,
  };
}
