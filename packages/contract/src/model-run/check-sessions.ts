import type { ReportGrouping } from '@lexigram/ai-session';
import { allOf, allPages, inOneOrder } from './calls/pages.ts';
import { statesOf } from './calls/read-calls.ts';
import type { Trial } from './context.ts';
import { livingBranches } from './model/life.ts';
import { refuse } from './model/refusal.ts';
import type { ModelSession } from './model/session.ts';
import { usageView } from './model/usage.ts';
import { historyView, stateView } from './model/views.ts';
import { disagreement, outcomeOf, outcomeOfAsync } from './outcome.ts';

/**
 * Compares everything of all sessions: the state with its whole history, the history as pages in both orders,
 * the checkpoints, the branches. A deleted session must be unknown, and what it used must be counted.
 */
export async function checkSessions(trial: Trial): Promise<void> {
  for (const session of trial.model.sessions) await checkSession(trial, session);
  for (const groupBy of ['day', 'model', 'agent', 'user', 'tool'] as const) {
    await checkUsage(trial, groupBy);
  }
}

async function checkUsage(
  { model, names, sessions }: Trial,
  groupBy: ReportGrouping,
): Promise<void> {
  const report = async (): Promise<object> => {
    const { items, total } = await sessions.analytics.report({ groupBy, limit: 1_000 });
    return { items, total };
  };
  const expected = outcomeOf(() => usageView(model, groupBy));
  const found = disagreement(names, expected, await outcomeOfAsync(report));
  if (found !== null) throw new Error(`comparing the report by ${groupBy}: ${found}`);
}

async function checkSession(trial: Trial, session: ModelSession): Promise<void> {
  const { model, names } = trial;
  const { branches, checkpoints, manager } = trial.sessions;
  const id = names.id(session.id);
  const compare = async (
    what: string,
    expect: () => unknown,
    actual: () => Promise<unknown>,
  ): Promise<void> => {
    const found = disagreement(
      names,
      outcomeOf(() => (session.deleted ? refuse('notFound') : expect())),
      await outcomeOfAsync(actual),
    );
    if (found !== null) throw new Error(`comparing the ${what} of ${session.label}: ${found}`);
  };
  await compare(
    'state',
    () => stateView(model, session, 'all'),
    () => manager.getState(id, { turns: 'all' }),
  );
  await compare(
    'turns backwards',
    () => historyView(session).toReversed(),
    () => allOf(manager.turns(id, { order: 'desc' })),
  );
  await compare(
    'checkpoints',
    () => session.checkpoints.map((checkpoint) => checkpoint.view),
    () => allPages(2, (page) => checkpoints.list(id, page)),
  );
  await compare(
    'branches',
    () => statesOf(trial, livingBranches(model, session), false),
    async () => inOneOrder(await allPages(2, (page) => branches.list(id, page)), false),
  );
}
