// Spends, deletes and reports at random, and says what was acknowledged, until it is killed.
import { createSessions, isSessionError } from '@lexigram/ai-session';
import { openUrl } from '../kit/open-url.ts';
import { randomOf } from '../kit/random.ts';
import { say } from './talk.ts';

/** What a process was told: turns that it added, or that the budget is spent. */
export type Spent =
  | { readonly did: 'open' }
  | { readonly did: 'spend'; readonly turns: number }
  | { readonly did: 'refused' };

const [url = '', seed = '', budget = ''] = process.argv.slice(2);
const random = randomOf(Number(seed));
const store = await openUrl(url, { synchronous: 'normal' });
const { analytics, manager } = await createSessions(
  { maxTurnsPerSession: 100_000, maxSessionsPerUser: 100_000, maxCostPerUser: Number(budget) },
  { store },
);
const usage = { inputTokens: 3, outputTokens: 1 };
const turn = { role: 'assistant', content: 'x', model: 'm', usage, cost: 0.000_001 } as const;
const own: string[] = [];
say({ did: 'open' } satisfies Spent);

for (;;) {
  const dice = random.between(1, 100);
  try {
    if (own.length === 0 || dice <= 10) {
      own.push((await manager.create({ userId: 'u' })).sessionId);
    } else if (dice <= 85) {
      const turns = random.between(1, 3);
      const batch = Array.from({ length: turns }, () => turn);
      await manager.addTurns(random.pick(own), batch);
      say({ did: 'spend', turns } satisfies Spent);
    } else if (dice <= 93 && own.length > 2) {
      await manager.delete(own.splice(random.between(0, own.length - 1), 1)[0] ?? '');
    } else {
      await analytics.report({ groupBy: 'model' });
    }
  } catch (error) {
    if (!isSessionError(error) || error.code !== 'LEX_ERR_SES_012') throw error;
    say({ did: 'refused' } satisfies Spent);
  }
}
