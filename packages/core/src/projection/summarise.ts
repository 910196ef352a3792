import type { SessionTurn } from '../session/turn.ts';
import type { TokenCounter } from './count-tokens.ts';

/** What a summariser gets. */
export interface SummariseInput {
  /** The summary of what came before these turns; the new one stands for both. */
  readonly previous: string | null;
  /** In order; all turns of a call of tools come together. */
  readonly turns: readonly SessionTurn[];
  /** What the summary should not pass. */
  readonly maxTokens: number;
  readonly countTokens: TokenCounter;
  /** Aborted when the caller gave up, or another process took over. */
  readonly signal: AbortSignal;
}

/** Makes a summary. What it throws ends the compaction, and nothing is stored. */
export type Summariser = (input: SummariseInput) => string | Promise<string>;
