import { type GroupSession, type Sessions, stop } from '@lexigram/ai-session';
import type { MakeAgent } from './speakers.ts';

/**
 * A writer and two reviewers who do not read each other, so that the second one has a mind of its own. The writer
 * hears both. It is over when both approve in the same round, or after four rounds.
 */
export function reviewTeam(sessions: Pick<Sessions, 'group'>, make: MakeAgent): GroupSession {
  const bothApprove = stop.when(({ agents, lastTurns, turns }) => {
    const reviewers = agents.filter(({ role }) => role === 'reviewer').map(({ name }) => name);
    if (lastTurns.at(-1)?.agent !== reviewers.at(-1)) return false;
    const said = turns.slice(-reviewers.length);
    const approve = said.every(({ content }) => String(content).includes('APPROVED'));
    return approve && 'both approve';
  });
  return sessions
    .group({
      stopWhen: bothApprove.or(stop.rounds(4)),
      roleIsolation: { roles: { reviewer: { hides: ['reviewer'] } } },
    })
    .addAgent(
      make(
        'writer',
        'Write, and write anew with what the reviewers said. Answer with the text alone.',
      ),
    )
    .addAgent(make('form', 'Review the form. Say APPROVED, or one thing to change.'), {
      role: 'reviewer',
    })
    .addAgent(make('sense', 'Review the sense. Say APPROVED, or one thing to change.'), {
      role: 'reviewer',
    });
}
