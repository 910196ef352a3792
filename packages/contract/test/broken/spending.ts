import type { CommitResult, NewTurn, ReportPage, UsageSums } from '@lexigram/ai-session/store';
import type { OpenStore } from '../../src/index.ts';
import { breaking, committing, creating, tick, withTurns } from './breaking.ts';

/** Stores that report wrongly, or forget what was spent. */

const dayMs = 86_400_000;

/** A report with other sums. */
function summing(change: (sums: UsageSums) => UsageSums): OpenStore {
  return breaking((inner) => ({
    async report(query): Promise<ReportPage> {
      const { groups, total } = await inner.report(query);
      const changed = groups.map((group) => ({ ...group, sums: change(group.sums) }));
      return { groups: changed, total: change(total) };
    },
  }));
}

export const reportsNoCachedTokens: OpenStore = summing((sums) => ({
  ...sums,
  cacheReadTokens: 0,
}));

/** Takes what has no price for free. */
export const reportsUnpricedAsFree: OpenStore = summing((sums) => ({ ...sums, unpriced: 0 }));

/** Answers the report before last, as one that is made now and then. */
export const reportsLate: OpenStore = breaking((inner) => {
  let last: ReportPage | undefined;
  return {
    async report(query): Promise<ReportPage> {
      const before = last;
      last = await inner.report(query);
      return before ?? last;
    },
  };
});

/** Counts copies where they were brought. */
export const reportsCopies: OpenStore = committing((commit) =>
  withTurns(commit, ({ origin: _, ...turn }) => turn),
);

/** Adds up what is there: what is deleted never was. */
export const forgetsSpending: OpenStore = breaking((inner) => {
  const gone: UsageSums[] = [];
  return {
    async erase(id, request) {
      const before = await inner.session(id);
      if (before !== null) {
        const { cost, turns } = before.lifetime;
        gone.push({ cost, turns } as UsageSums);
      }
      return inner.erase(id, request);
    },
    async report(query): Promise<ReportPage> {
      const { groups, total } = await inner.report(query);
      const cost = gone.reduce((sum, one) => sum - one.cost, total.cost);
      const turns = gone.reduce((sum, one) => sum - one.turns, total.turns);
      return { groups, total: { ...total, cost, turns } };
    },
  };
});

/** Rolls a deleted session's turns up once more. */
export const reportsErasedTwice: OpenStore = breaking((inner) => {
  let again = 0;
  return {
    async erase(id, request) {
      again += (await inner.session(id))?.lifetime.cost ?? 0;
      return inner.erase(id, request);
    },
    async report(query): Promise<ReportPage> {
      const { groups, total } = await inner.report(query);
      return { groups, total: { ...total, cost: total.cost + again } };
    },
  };
});

/** Days begin an hour later here. */
export const reportsLocalDays: OpenStore = creating((session) => ({
  ...session,
  turns: session.turns.map((turn) =>
    turn.at === null ? turn : { ...turn, at: turn.at - dayMs / 24 },
  ),
}));

export const reportsTheLastDay: OpenStore = breaking((inner) => ({
  report: ({ to, ...query }) => inner.report(to === undefined ? query : { ...query, to: to + 1 }),
}));

/** Counts a turn for the tool that it called first. */
export const reportsFirstTool: OpenStore = creating((session) => ({
  ...session,
  turns: session.turns.map((turn): NewTurn => {
    const body = JSON.parse(turn.body) as { toolCalls?: unknown[] };
    const toolCalls = body.toolCalls?.slice(0, 1);
    return { ...turn, body: JSON.stringify({ ...body, toolCalls }) };
  }),
}));

export const reportsAnyTenant: OpenStore = breaking((inner) => ({
  report: ({ tenantId, ...query }) =>
    inner.report(query.userId === undefined ? { ...query, tenantId: tenantId ?? null } : query),
}));

export const reportsWithoutPages: OpenStore = breaking((inner) => ({
  report: (query) => inner.report({ ...query, limit: 1_000 }),
}));

export const reportsThePageAgain: OpenStore = breaking((inner) => ({
  async report({ after, ...query }): Promise<ReportPage> {
    const { groups, total } = await inner.report({ ...query, limit: 1_000 });
    const at = groups.findIndex(({ key }) => key === after?.key);
    return { groups: groups.slice(at + 1, at + 1 + query.limit), total };
  },
}));

/** Adds up in integers of 32 bits. */
export const reportsInWords: OpenStore = summing((sums) => ({ ...sums, cost: sums.cost | 0 }));

export const hasNoBudget: OpenStore = committing((commit) => {
  const { append } = commit;
  if (append === undefined) return commit;
  const { budget: _, ...rest } = append;
  return { ...commit, append: rest };
});

/** Refuses the turn that would spend more than is left. */
export const refusesTheLastTurn: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const max = commit.append?.budget?.session ?? null;
    const row = await inner.session(id);
    const more = commit.append?.turns.reduce((sum, turn) => sum + turn.cost, 0) ?? 0;
    if (max === null || row === null || row.lifetime.cost + more <= max) {
      return inner.commit(id, commit);
    }
    return { refused: 'cap', cap: 'sessionCost', max, actual: row.lifetime.cost, session: row };
  },
}));

/** Counts what living sessions of the user spent, of whichever tenant. */
export const budgetsTheLiving: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const budget = commit.append?.budget;
    const row = await inner.session(id);
    if (budget?.owner == null || row === null) return inner.commit(id, commit);
    const { tenantId, userId } = row.owner;
    const rows = await inner.list({ tenantId, userId, limit: 1_000 });
    const actual = rows.reduce((sum, one) => sum + one.lifetime.cost, 0);
    const { owner: max } = budget;
    if (actual >= max) return { refused: 'cap', cap: 'ownerCost', max, actual, session: row };
    const append = commit.append && { ...commit.append, budget: { ...budget, owner: null } };
    return inner.commit(id, append === undefined ? commit : { ...commit, append });
  },
}));

/** Looks at what is spent a tick before it writes. */
export const racesOnBudget: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const { append } = commit;
    if (append?.budget === undefined) return inner.commit(id, commit);
    const trial = await inner.commit(id, { append: { turns: [], budget: append.budget } });
    if (trial.refused !== undefined) return trial;
    await tick();
    const { budget: _, ...rest } = append;
    return inner.commit(id, { ...commit, append: rest });
  },
}));

/** Judges the budget before all else. */
export const judgesBudgetFirst: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const max = commit.append?.budget?.session ?? null;
    const row = await inner.session(id);
    if (max === null || row === null || row.lifetime.cost < max) return inner.commit(id, commit);
    const actual = row.lifetime.cost;
    return { refused: 'cap', cap: 'sessionCost', max, actual, session: row };
  },
}));

/** Keeps what was given, and not what was filled in. */
export const losesFilledCosts: OpenStore = committing((commit) =>
  withTurns(commit, (turn) => {
    const { priced: _, ...body } = JSON.parse(turn.body) as Record<string, unknown>;
    return { ...turn, body: JSON.stringify(body) };
  }),
);

export const listsExpiredAsActive: OpenStore = breaking((inner) => ({
  list: async (query) =>
    (await inner.list(query)).map((row) =>
      row.status === 'expired' ? { ...row, status: 'active' } : row,
    ),
}));

/** Counts what was written out of sight when it is written, and again when it comes into sight. */
export const spendsOutOfSightTwice: OpenStore = committing((commit) => {
  const { pointer } = commit;
  if (pointer?.wrote === undefined) return commit;
  const wrote = { ...pointer.wrote, cost: 2 * pointer.wrote.cost };
  return { ...commit, pointer: { ...pointer, wrote } };
});
