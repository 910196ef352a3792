import type { Law } from './law.ts';
import { analyticsLaws } from './laws/analytics.ts';
import { answerLaws } from './laws/answers.ts';
import { appendLaws } from './laws/append.ts';
import { turnCapLaws } from './laws/caps.ts';
import { checkpointLaws } from './laws/checkpoints.ts';
import { countLaws } from './laws/counts.ts';
import { deleteLaws } from './laws/delete.ts';
import { diffLaws } from './laws/diff.ts';
import { eventLaws } from './laws/events.ts';
import { expectedLaws } from './laws/expected.ts';
import { expiryLaws } from './laws/expiry.ts';
import { filterLaws } from './laws/filters.ts';
import { forkLaws } from './laws/fork.ts';
import { isolationLaws } from './laws/isolation.ts';
import { keptLaws } from './laws/kept.ts';
import { lineageLaws } from './laws/lineage.ts';
import { memoryLaws } from './laws/memory.ts';
import { mergeLaws } from './laws/merge.ts';
import { mergeRaceLaws } from './laws/merge-races.ts';
import { mergeStrategyLaws } from './laws/merge-strategies.ts';
import { mergeVariableLaws } from './laws/merge-variables.ts';
import { moneyLaws } from './laws/money.ts';
import { moveLaws } from './laws/moves.ts';
import { operationLaws } from './laws/operations.ts';
import { orderLaws } from './laws/order.ts';
import { ownerLaws } from './laws/owner.ts';
import { pageLaws } from './laws/pages.ts';
import { persistenceLaws } from './laws/persistence.ts';
import { portBudgetLaws } from './laws/port-budget.ts';
import { portChangeLaws } from './laws/port-changes.ts';
import { portGuardLaws } from './laws/port-guards.ts';
import { portMergeLaws } from './laws/port-merge.ts';
import { portReadLaws } from './laws/port-reads.ts';
import { portRecordLaws } from './laws/port-records.ts';
import { portReportLaws } from './laws/port-report.ts';
import { portSweepLaws } from './laws/port-sweep.ts';
import { repeatLaws } from './laws/repeat.ts';
import { roundTripLaws } from './laws/round-trip.ts';
import { selectLaws } from './laws/select.ts';
import { siblingLaws } from './laws/siblings.ts';
import { statusLaws } from './laws/status.ts';
import { sweepLaws } from './laws/sweep.ts';
import { transferLaws } from './laws/transfer.ts';
import { treeLaws } from './laws/tree.ts';
import { undoLaws } from './laws/undo.ts';
import { variableLaws } from './laws/variables.ts';

/** All laws, in the order of the promises. */
export const laws: readonly Law[] = Object.freeze([
  ...appendLaws,
  ...repeatLaws,
  ...expectedLaws,
  ...turnCapLaws,
  ...countLaws,
  ...isolationLaws,
  ...expiryLaws,
  ...deleteLaws,
  ...keptLaws,
  ...ownerLaws,
  ...roundTripLaws,
  ...answerLaws,
  ...orderLaws,
  ...pageLaws,
  ...filterLaws,
  ...moveLaws,
  ...lineageLaws,
  ...undoLaws,
  ...checkpointLaws,
  ...variableLaws,
  ...forkLaws,
  ...transferLaws,
  ...siblingLaws,
  ...selectLaws,
  ...treeLaws,
  ...mergeLaws,
  ...mergeVariableLaws,
  ...mergeStrategyLaws,
  ...mergeRaceLaws,
  ...diffLaws,
  ...moneyLaws,
  ...analyticsLaws,
  ...statusLaws,
  ...operationLaws,
  ...eventLaws,
  ...sweepLaws,
  ...memoryLaws,
  ...portGuardLaws,
  ...portRecordLaws,
  ...portReadLaws,
  ...portMergeLaws,
  ...portChangeLaws,
  ...portSweepLaws,
  ...portReportLaws,
  ...portBudgetLaws,
  ...persistenceLaws,
]);
