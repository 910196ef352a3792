import {
  type Agent,
  type AgentReply,
  type GroupSession,
  type Sessions,
  type SessionTurn,
  SwarmTurnManager,
  type ToolCall,
} from '@lexigram/ai-session';
import type { Conversation } from '../conversations/read.ts';

/** What the agent of a recorded conversation said, and what its tools answered. */
export interface Recording {
  /** The system prompt, if there was one. */
  readonly policy: string | undefined;
  /** What the customer said, in order. */
  readonly customer: readonly string[];
  readonly answers: readonly AgentReply[];
  readonly results: readonly string[];
}

export function recordingOf({ turns }: Conversation): Recording {
  const texts = (role: string): string[] =>
    turns.filter(({ turn }) => turn.role === role).map(({ turn }) => String(turn.content));
  const answers = turns
    .filter(({ turn }) => turn.role === 'assistant')
    .map(
      ({ turn: { content, toolCalls } }): AgentReply =>
        toolCalls === undefined ? { content } : { content, toolCalls },
    );
  return {
    policy: texts('system')[0],
    customer: texts('user'),
    answers,
    results: texts('tool'),
  };
}

/**
 * A desk that takes every call and hands it over, and an agent for flights that says and does what was recorded.
 * Its tools are run by the group, and a person is asked before one of `careful` is.
 */
export function supportSwarm(
  sessions: Pick<Sessions, 'group'>,
  recording: Recording,
  careful: readonly string[] = [],
): GroupSession {
  const desk: Agent = {
    name: 'desk',
    execute: () => ({ content: 'I put you through to our flight desk.', handOver: 'flights' }),
  };
  return sessions
    .group({
      turnManager: new SwarmTurnManager({ firstAgent: 'desk' }),
      askBefore: ({ toolCall }) => toolCall !== null && careful.includes(toolCall.name),
    })
    .addAgent(desk)
    .addAgent(flights(recording));
}

function flights({ answers, results }: Recording): Agent {
  const mine = (history: readonly SessionTurn[], role: string): number =>
    history.filter((turn) => turn.agent === 'flights' && turn.role === role).length;
  // Results of tools in the order of their calls; which one is next is told by the history.
  let done = 0;
  return {
    name: 'flights',
    execute(_message, history) {
      const answer = answers[mine(history, 'assistant')];
      done = mine(history, 'tool');
      if (answer === undefined) return { content: 'Good bye.', handOver: null };
      // What it says to the customer waits for an answer; what it says to a tool does not.
      return answer.toolCalls === undefined ? { ...answer, handOver: null } : answer;
    },
    callTool(call: ToolCall) {
      const at = answers
        .flatMap(({ toolCalls = [] }) => toolCalls)
        .findIndex(({ id }, i) => i >= done && id === call.id);
      return results[at] ?? 'There is no answer.';
    },
  };
}
