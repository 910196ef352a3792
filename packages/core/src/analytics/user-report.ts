import { SessionInputError } from '../errors.ts';
import type { Engine } from '../manager/engine.ts';
import { checkPrintable, kindOf } from '../session/ids.ts';
import { limits } from '../session/limits.ts';
import { checkOptions } from '../session/options.ts';
import type { ListQuery } from '../store/port.ts';
import type { SessionRow } from '../store/rows.ts';
import type { UnpricedUse } from './unpriced.ts';
import { ownerOf, toTotals, unpricedOf } from './usage-report.ts';

/** A user's sessions and what they used. Of a user who is not known all numbers are 0. */
export interface UserReport {
  readonly userId: string;
  /** Sessions that are there, whatever their status, branches too; and those of them that are active now. */
  readonly totalSessions: number;
  readonly activeSessions: number;
  /** The mean number of turns of these sessions' histories; null without sessions. */
  readonly averageTurns: number | null;
  /** The share of these sessions in which a checkpoint was ever made, 0 to 1; null without sessions. */
  readonly checkpointRate: number | null;
  /** What was ever written, each turn once; left behind by moves and deleted since or not. */
  readonly totalTurns: number;
  readonly totalTokens: number;
  /** USD of the turns that have a cost; null if tokens were used and no turn has one. */
  readonly totalCost: number | null;
  /** Turns that used tokens and have no cost, by model. */
  readonly unpriced: readonly UnpricedUse[];
}

/** Options of `analytics.user`. */
export interface UserReportOptions {
  /** Null: the user without a tenant; of any tenant if left out. */
  readonly tenantId?: string | null | undefined;
}

/** @throws SessionInputError */
export async function reportUser(
  engine: Engine,
  userId: unknown,
  options: UserReportOptions | undefined,
): Promise<UserReport> {
  const given = checkOptions(options, engine.owner === undefined ? ['tenantId'] : []);
  if (engine.owner !== undefined && userId !== undefined) {
    throw new SessionInputError(
      'userId',
      `is the owner's here; leave it out, got ${kindOf(userId)}`,
    );
  }
  const user = engine.owner?.userId ?? checkPrintable(userId, 'userId');
  const owner = ownerOf(engine, { ...given, userId: user });
  const { total } = await engine.store.report({ groupBy: 'day', ...owner, limit: 1 });
  const { totalTokens, turns, cost } = toTotals(total);
  let sessions = 0;
  let active = 0;
  let checkpointed = 0;
  let current = 0;
  for await (const row of rowsOf(engine, { ...owner, userId: user })) {
    sessions += 1;
    if (row.status === 'active') active += 1;
    if (row.checkpoints > 0) checkpointed += 1;
    current += row.head.seq;
  }
  return Object.freeze({
    userId: user,
    totalSessions: sessions,
    activeSessions: active,
    averageTurns: sessions === 0 ? null : current / sessions,
    checkpointRate: sessions === 0 ? null : checkpointed / sessions,
    totalTurns: turns,
    totalTokens,
    totalCost: cost,
    unpriced: await unpricedOf(engine, owner, total),
  });
}

async function* rowsOf(
  engine: Engine,
  query: Pick<ListQuery, 'userId' | 'tenantId'>,
): AsyncGenerator<SessionRow> {
  let after: ListQuery['after'];
  do {
    const rows = await engine.store.list({
      ...query,
      limit: limits.pageMax,
      ...(after === undefined ? {} : { after }),
    });
    yield* rows;
    after = rows.length < limits.pageMax ? undefined : rows.at(-1);
  } while (after !== undefined);
}
