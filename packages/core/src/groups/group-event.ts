import type { SessionState } from '../session/state.ts';
import type { SessionTurn, ToolCall } from '../session/turn.ts';
import type { Question } from './question.ts';
import type { GroupEndReason } from './run-state.ts';
import type { FallbackReason } from './turn-manager.ts';

/** What a run came to. */
export interface GroupResult {
  readonly runId: string;
  readonly reason: GroupEndReason;
  /** For people: which stop condition was met, who failed. */
  readonly detail: string | null;
  readonly state: SessionState;
  /** Steps that are done, and the round of the last one. */
  readonly steps: number;
  readonly rounds: number;
  /** What a person is asked, if the run waits for one. */
  readonly question: Question | null;
  /** What the agent threw, if this process saw it. */
  readonly error?: unknown;
}

/** What a stream tells, in order; `ended` is the last. A turn is told once it is stored. */
export type GroupEvent =
  | {
      readonly type: 'selected';
      readonly agent: string;
      readonly step: number;
      readonly round: number;
      readonly key: string;
      /** Set if the turn manager chose by rule. */
      readonly fallback?: FallbackReason | undefined;
    }
  | { readonly type: 'delta'; readonly agent: string; readonly step: number; readonly text: string }
  /** `agent` is null for the message of a person. */
  | {
      readonly type: 'turn';
      readonly agent: string | null;
      readonly step: number;
      readonly turn: SessionTurn;
    }
  /** A call that an agent wrote down. */
  | {
      readonly type: 'tool_call';
      readonly agent: string;
      readonly step: number;
      readonly call: ToolCall;
    }
  | {
      readonly type: 'hand_over';
      readonly agent: string;
      readonly step: number;
      /** Null is nobody. */
      readonly to: string | null;
    }
  | { readonly type: 'waiting'; readonly question: Question }
  /** An agent failed, and what is done about it; null if it was the turn manager, or a stop condition. */
  | {
      readonly type: 'error';
      readonly agent: string | null;
      readonly step: number;
      readonly attempt: number;
      readonly error: unknown;
      readonly action: 'retry' | 'skip' | 'fallback' | 'stop';
    }
  | { readonly type: 'ended'; readonly result: GroupResult };
