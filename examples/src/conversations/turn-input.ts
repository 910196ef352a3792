/** Any JSON value. */
type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

type JsonObject = { readonly [key: string]: Json };

type ContentPart =
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
      readonly url?: string;
      readonly data?: string;
      readonly extra?: JsonObject;
    }
  | {
      readonly type: 'data';
      readonly name: string;
      readonly json: Json;
      readonly extra?: JsonObject;
    };

/** A turn as a session takes it: the same shape as `TurnInput` of `@lexigram/ai-session`. */
export interface TurnInput {
  readonly turnId?: string;
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string | readonly ContentPart[];
  readonly agent?: string;
  readonly name?: string;
  readonly toolCalls?: readonly {
    readonly id: string;
    readonly name: string;
    readonly arguments: Json;
  }[];
  readonly toolCallId?: string;
  readonly isError?: boolean;
  readonly state?: 'complete' | 'aborted';
  readonly model?: string;
  readonly provider?: string;
  readonly usage?: {
    readonly inputTokens?: number;
    readonly outputTokens?: number;
    readonly cacheReadTokens?: number;
    readonly cacheWriteTokens?: number;
    readonly reasoningTokens?: number;
    readonly totalTokens?: number;
  };
  readonly cost?: number;
  readonly metadata?: JsonObject;
  readonly timestamp?: string;
}
