import type { JsonObject, JsonValue } from './json.ts';

export type TurnRole = 'system' | 'user' | 'assistant' | 'tool';

/** One piece of a turn's content. `extra` is kept verbatim. */
export type ContentPart =
  | { readonly type: 'text'; readonly text: string; readonly extra?: JsonObject }
  | {
      readonly type: 'reasoning';
      readonly text: string;
      readonly signature?: string;
      readonly extra?: JsonObject;
    }
  | {
      readonly type: 'file';
      readonly mediaType: string;
      /** Opaque text: it is never fetched. */
      readonly url?: string;
      /** Base64. */
      readonly data?: string;
      readonly extra?: JsonObject;
    }
  | {
      readonly type: 'data';
      readonly name: string;
      readonly json: JsonValue;
      readonly extra?: JsonObject;
    };

/** A call of a tool. `arguments` is kept verbatim: the string that a model sent, or JSON. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: JsonValue;
}

/** Tokens of one turn: whole numbers. `inputTokens` includes the cached ones. */
export interface Usage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
  readonly reasoningTokens?: number;
  /** `inputTokens + outputTokens` if it is not given. */
  readonly totalTokens?: number;
}

/** What all turns have, given or stored. */
interface TurnFields {
  readonly role: TurnRole;
  /** May be empty, in every role: an aborted answer, a message that only calls tools. */
  readonly content: string | readonly ContentPart[];
  /** The agent that spoke. */
  readonly agent?: string;
  /** The speaker's name. */
  readonly name?: string;
  readonly toolCalls?: readonly ToolCall[];
  /** The call that this turn answers. */
  readonly toolCallId?: string;
  /** Whether the tool failed. */
  readonly isError?: boolean;
  readonly state?: 'complete' | 'aborted';
  readonly model?: string;
  readonly provider?: string;
  readonly usage?: Usage;
  /** USD, kept to the nano-dollar. */
  readonly cost?: number;
  /** Only these agents see the turn. */
  readonly visibleTo?: readonly string[];
  /** These agents do not see it. */
  readonly hiddenFrom?: readonly string[];
  readonly metadata?: JsonObject;
}

/** A turn as a caller gives it. */
export interface TurnInput extends TurnFields {
  /** Makes the call repeatable: the same id with the same content is one turn. Generated if left out. */
  readonly turnId?: string;
  /** For display; the store's time if left out. Order is by `seq` alone. */
  readonly timestamp?: string;
}

/** A stored turn: immutable, deeply frozen. */
export interface SessionTurn extends TurnFields {
  readonly turnId: string;
  /** Its place in the history, from 1, without gaps; given by the store. */
  readonly seq: number;
  readonly timestamp: string;
  /** Where a merged copy was first written. */
  readonly origin?: TurnOrigin;
  /** The turns of a branch for which a merge's new turn stands: where they were first written. */
  readonly origins?: readonly TurnRange[];
}

/** The place where a turn was first written. */
export interface TurnOrigin {
  readonly timelineId: string;
  readonly seq: number;
}

/** A run of turns on one timeline: seqs `from` to `to`, both included. */
export interface TurnRange {
  readonly timelineId: string;
  readonly from: number;
  readonly to: number;
}
