import type { JsonObject, JsonValue } from '../session/json.ts';
import type { SessionState } from '../session/state.ts';
import type { ContentPart, SessionTurn, ToolCall, TurnInput, TurnRole } from '../session/turn.ts';

/**
 * One who speaks in a group. The group gives it what it may see and writes down what it answers. An agent may be
 * run again with the same `context.key` if it is not known whether its answer was saved: its work happens at least
 * once, its turns are written exactly once.
 */
export interface Agent {
  /** Who it is in turns, in hand-overs and to others; unique in its group. */
  readonly name: string;
  /** What it is good at, for a model that chooses who speaks next. */
  readonly description?: string | undefined;
  /**
   * Answers. `message` is the text of the newest turn that it may see, `history` are all of them, valid for a
   * provider: each tool result has its call, each call its result.
   */
  execute(
    message: string,
    history: readonly SessionTurn[],
    context: AgentContext,
  ): AgentAnswer | Promise<AgentAnswer> | AsyncIterable<string | AgentReply>;
  /**
   * Runs a tool call that an answer left without a result; the agent then speaks again. Without this method such
   * calls are somebody else's business. What it throws becomes a result with `isError`.
   */
  callTool?(call: ToolCall, context: AgentContext): ToolAnswer | Promise<ToolAnswer>;
}

/** What an agent knows of the run in which it speaks. */
export interface AgentContext {
  readonly sessionId: string;
  /** Whose session it is and what it is about, as it was when this process took up the run. */
  readonly session: Pick<SessionState, 'sessionId' | 'tenantId' | 'userId' | 'metadata'>;
  readonly runId: string;
  readonly agent: string;
  readonly role: string | null;
  /** The number of the step in its run, from 1. */
  readonly step: number;
  /** The same each time this step, or this tool call, is tried: give it to what must happen once. */
  readonly key: string;
  /** 1 for the first try in this process. */
  readonly attempt: number;
  /** Aborted when the answer is no longer wanted: cancelled, too late, or somebody else took the run over. */
  readonly signal: AbortSignal;
  /** The session's variables that this agent may see. */
  readonly variables: JsonObject;
  readonly spent: Spent;
}

/** What a run wrote and spent so far, also before a crash. Cost is USD. */
export interface Spent {
  readonly turns: number;
  readonly tokens: number;
  readonly cost: number;
}

/** A turn as an agent gives it: its id and its speaker are the group's. */
export type AgentTurn = Omit<TurnInput, 'turnId' | 'agent' | 'role' | 'content'> & {
  /** `assistant` if left out. */
  readonly role?: TurnRole;
  /** Empty if left out. */
  readonly content?: string | readonly ContentPart[];
};

/** An answer with what belongs to it: the fields of one turn, or `turns`. */
export interface AgentReply extends AgentTurn {
  /**
   * Several turns, like calls of tools and their results: written together or not at all. At the end of a stream they
   * stand for its text.
   */
  readonly turns?: readonly AgentTurn[];
  /** Who speaks next; null hands over to nobody. */
  readonly handOver?: string | null;
  /** Asks a person: the run waits, for days if need be, until `resume` brings the answer to this agent. */
  readonly ask?: string;
  /** Variables to set in the same atomic effect as the turns. */
  readonly variables?: JsonObject;
  readonly unset?: readonly string[];
}

/** What an agent may answer: a text, a turn, several turns, or a reply with more than turns. */
export type AgentAnswer = string | AgentReply | readonly AgentTurn[];

/** What a tool may answer: its result, or a turn of role `tool`. */
export type ToolAnswer =
  | string
  | readonly ContentPart[]
  | {
      readonly content: string | readonly ContentPart[];
      readonly isError?: boolean;
      readonly metadata?: JsonObject;
    };

/** An agent as its group knows it. */
export interface GroupMember {
  readonly name: string;
  readonly role: string | null;
  /** Higher speaks earlier under a PriorityTurnManager; 0 if not given. */
  readonly priority: number;
  readonly description: string | null;
}

/** What is done when an agent fails: end the run, let the next one speak, or let another agent speak instead. */
export type ErrorPolicy = 'stop' | 'skip' | { readonly fallback: string };

/** How an agent takes part. */
export interface AgentOptions {
  readonly role?: string | undefined;
  readonly priority?: number | undefined;
  /** Milliseconds that one try may take; 10 minutes. */
  readonly timeoutMs?: number | undefined;
  /** How often a failed try is repeated, with growing pauses; 0. */
  readonly retries?: number | undefined;
  /** After the last try; `stop`. */
  readonly onError?: ErrorPolicy | undefined;
}

/** A JSON value of a turn manager's own, kept in the session. */
export type ManagerState = JsonValue;
