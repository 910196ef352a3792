import type { GroupSession, Sessions, TurnManager } from '@lexigram/ai-session';
import type { MakeAgent } from './speakers.ts';

const order = ['pro', 'con', 'pro', 'con', 'judge'];

/** Two who argue, each twice, and a judge who has the last word. */
export function debate(sessions: Pick<Sessions, 'group'>, make: MakeAgent): GroupSession {
  // It remembers nothing: how often somebody was given the word stands in the session.
  const turnManager: TurnManager = { selectNext: ({ selections }) => order[selections] ?? null };
  return sessions
    .group({ turnManager })
    .addAgent(make('pro', 'Argue for the motion, in one sentence.'))
    .addAgent(make('con', 'Argue against the motion, in one sentence.'))
    .addAgent(make('judge', 'Say who won, and why.'), { onError: 'stop', retries: 2 });
}
