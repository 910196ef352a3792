import type { Sessions } from '@lexigram/ai-session';
import type { Conversation } from '../src/conversations/read.ts';
import type { ConversationTurn } from '../src/conversations/turns.ts';

/** A session to be written: a row of turns, at the beginning or on top of a turn of another one. */
export interface Plan {
  readonly from: { readonly plan: Plan; readonly atTurn: string } | null;
  readonly turns: ConversationTurn['turn'][];
  sessionId: string;
}

/** A conversation as sessions: one for each beginning, and a fork wherever a turn has a second answer. */
export function plansOf(conversation: Conversation): readonly Plan[] {
  const plans: Plan[] = [];
  const home = new Map<string, Plan>();
  for (const { parent, turn } of conversation.turns) {
    const above = parent === null ? undefined : home.get(parent);
    let plan = above;
    if (above === undefined || parent === null || above.turns.at(-1)?.turnId !== parent) {
      const from = above === undefined || parent === null ? null : { plan: above, atTurn: parent };
      plan = { from, turns: [], sessionId: '' };
      plans.push(plan);
    }
    plan?.turns.push(turn);
    home.set(turn.turnId, plan as Plan);
  }
  return plans;
}

/** The turns from the beginning to the end of a plan's session. */
export function historyOf({ from, turns }: Plan): readonly ConversationTurn['turn'][] {
  if (from === null) return turns;
  const above = historyOf(from.plan);
  const at = above.findIndex((turn) => turn.turnId === from.atTurn);
  return [...above.slice(0, at + 1), ...turns];
}

/** Room for all conversations. */
export const roomy = {
  sessionTtl: 0,
  maxTurnsPerSession: 100_000,
  maxSessionsPerUser: 100_000,
  maxBranchesPerSession: 10_000,
};

/** Writes a plan's turns as a session of this user, or as a branch of the session that it stands on. */
export async function writePlan(
  { branches, manager }: Sessions,
  plan: Plan,
  userId: string,
): Promise<void> {
  const { sessionId } =
    plan.from === null
      ? await manager.create({ userId, metadata: {} })
      : await branches.fork(plan.from.plan.sessionId, 'b', { atTurn: plan.from.atTurn });
  plan.sessionId = sessionId;
  for (let at = 0; at < plan.turns.length; at += 100) {
    await manager.addTurns(sessionId, plan.turns.slice(at, at + 100));
  }
}
