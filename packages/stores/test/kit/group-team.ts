import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import {
  type AgentAnswer,
  type GroupResult,
  type GroupSession,
  LlmDirectedTurnManager,
  SessionConflictError,
  SessionLeaseError,
  type Sessions,
} from '@lexigram/ai-session';
import { pause } from './pause.ts';

/** How the next speaker is chosen: at once, in one commit a step; or after a while, in two. */
export type Choice = 'at-once' | 'after-a-while';

export const message = 'Design a bridge.';
/** Rounds of the six agents. */
export const rounds = 3;
/** How long a process that was killed keeps its run. */
export const leaseMs = 200;

interface TeamOptions {
  readonly choice: Choice;
  /** The file that gets a line, the key, for each time that an agent or a tool works. */
  readonly log: string;
  readonly workMs?: number;
}

/**
 * Six agents, of which one calls a tool, one sets variables and one whispers. What each says depends on all that it
 * was shown, so that a history that was fed wrongly makes another text.
 */
export function makeTeam(
  sessions: Sessions,
  { choice, log, workMs = 0 }: TeamOptions,
): GroupSession {
  const turnManager =
    choice === 'at-once'
      ? undefined
      : new LlmDirectedTurnManager({
          select: async ({ agents, selections }) => {
            await pause(1);
            return agents[selections % agents.length]?.name;
          },
        });
  const team = sessions.group({ turnManager, leaseMs });
  for (const name of ['ann', 'bob', 'cid', 'dot', 'eve', 'fay']) {
    team.addAgent({
      name,
      async execute(heard, history, { key, spent, step, variables }): Promise<AgentAnswer> {
        appendFileSync(log, `${key}\n`);
        if (workMs > 0) await pause(workMs);
        const shown = history.map(({ content, role, seq }) => [seq, role, content]);
        const digest = createHash('sha256')
          .update(JSON.stringify([heard, shown, variables, spent]))
          .digest('base64url')
          .slice(0, 8);
        const content = `${name} in step ${step} after ${digest}`;
        const usage = { inputTokens: history.length, outputTokens: 7 };
        const said = { content, usage, cost: 0.001 };
        if (name === 'cid' && history.at(-1)?.role !== 'tool') {
          const call = { id: 'the-same', name: 'measure', arguments: { step } };
          return { ...said, toolCalls: [call] };
        }
        if (name === 'dot') return { ...said, variables: { [`by${step}`]: digest } };
        if (name === 'eve') return { ...said, visibleTo: ['ann', 'eve'] };
        return said;
      },
      ...(name === 'cid'
        ? {
            callTool: (_call: unknown, { key }: { readonly key: string }) => {
              appendFileSync(log, `${key}\n`);
              return `measured ${key.slice(key.indexOf('.'))}`;
            },
          }
        : {}),
    });
  }
  return team;
}

/** Goes on with a run as soon as its lease lets it; begins it if it never began. */
export async function takeOver(team: GroupSession, sessionId: string): Promise<GroupResult> {
  for (;;) {
    try {
      return await team.resume(sessionId);
    } catch (error) {
      if (error instanceof SessionConflictError && error.reason === 'run') {
        return team.run(sessionId, message, { maxRounds: rounds });
      }
      if (!(error instanceof SessionLeaseError)) throw error;
    }
    await pause(10);
  }
}

/** All that a run left in its session, but for its id and times. */
export async function leftBy(sessions: Sessions, sessionId: string): Promise<object> {
  const { turns, ...state } = await sessions.manager.getState(sessionId, { turns: 'all' });
  const said = turns.map(({ timestamp: _, turnId, ...turn }) => ({
    ...turn,
    turnId: turnId.slice(turnId.indexOf('.')),
  }));
  const { status, totalCost, totalTokens, turnCount, variables } = state;
  return { status, totalCost, totalTokens, turnCount, variables, said };
}
