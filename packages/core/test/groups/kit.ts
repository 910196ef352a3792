import {
  type Agent,
  type AgentAnswer,
  type AgentContext,
  createSessions,
  type GroupEvent,
  type GroupStream,
  type SessionConfigInput,
  type Sessions,
  type SessionTurn,
} from '@lexigram/ai-session';
import { onTestFinished } from 'vitest';

/** Sessions in memory, closed with the test, and one session of them. */
export async function openSession(
  config: SessionConfigInput = {},
): Promise<Sessions & { readonly id: string }> {
  const sessions = await createSessions({ autoCheckpointInterval: null, ...config });
  onTestFinished(() => sessions.close());
  const { sessionId } = await sessions.manager.create({ userId: 'ada' });
  return Object.assign({ ...sessions }, { id: sessionId });
}

type Script = (
  context: AgentContext,
  message: string,
  history: readonly SessionTurn[],
) => AgentAnswer | Promise<AgentAnswer> | AsyncIterable<string>;

/** An agent that does what its script says; without one it says its name and the step. */
export function scripted(
  name: string,
  script: Script = ({ step }) => `${name} in step ${step}`,
  more: Partial<Agent> = {},
): Agent {
  return {
    name,
    execute: (message, history, context) => script(context, message, history),
    ...more,
  };
}

/** Speakers and texts of a history, in short. */
export async function told({ manager }: Sessions, id: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const { agent, content, role } of manager.turns(id)) {
    lines.push(
      `${agent ?? role}: ${typeof content === 'string' ? content : JSON.stringify(content)}`,
    );
  }
  return lines;
}

export async function eventsOf(stream: GroupStream): Promise<GroupEvent[]> {
  const events: GroupEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}
