import { type FailureReport, warnOfFailure } from '../cleanup/report-failure.ts';
import { SessionInputError } from '../errors.ts';
import type { Written } from '../events/written.ts';
import type { Engine } from '../manager/engine.ts';
import { kindOf } from '../session/ids.ts';
import { checkOptions } from '../session/options.ts';
import { timesOf } from './consolidate-session.ts';
import { owedRecord } from './consolidation.ts';
import { ConsolidationQueue } from './consolidation-queue.ts';
import { feedMemory } from './feed-memory.ts';
import type { MemoryConsolidator } from './memory-consolidator.ts';
import { InMemoryWorkingMemory, type WorkingMemory } from './working-memory.ts';

/** What memory is made of. */
export interface MemoryParts {
  /** One in this process if left out; null for none. */
  readonly workingMemory?: WorkingMemory | null | undefined;
  /** None if left out: nothing is consolidated, and nothing is owed. */
  readonly consolidator?: MemoryConsolidator | null | undefined;
  /** Takes what fails in the background; a warning of the process if left out. */
  readonly onFailure?: FailureReport | undefined;
}

/** The parts as they were given. @throws SessionInputError */
export function checkParts(parts: MemoryParts): MemoryParts {
  const given: MemoryParts = checkOptions(
    parts,
    ['workingMemory', 'consolidator', 'onFailure'],
    'parts',
  );
  const { consolidator, onFailure, workingMemory } = given;
  if (consolidator !== undefined && consolidator !== null) {
    checkPart(consolidator, ['consolidate'], 'parts.consolidator');
    timesOf(consolidator);
  }
  if (workingMemory !== undefined && workingMemory !== null) {
    const calls = ['add', 'assemble', 'getContextEntries', 'flush'];
    checkPart(workingMemory, calls, 'parts.workingMemory');
  }
  if (onFailure !== undefined && typeof onFailure !== 'function') {
    const problem = `expected a function, got ${kindOf(onFailure)}`;
    throw new SessionInputError('parts.onFailure', problem);
  }
  return given;
}

/** The memory of all services over one engine: it hears of their writes, and works in the background. */
export class MemoryWork {
  readonly workingMemory: WorkingMemory | null;
  readonly queue: ConsolidationQueue | null;

  /** @param engine one without an owner @throws SessionInputError */
  constructor(engine: Engine, parts: MemoryParts) {
    const { consolidator = null, onFailure = warnOfFailure, workingMemory } = checkParts(parts);
    this.workingMemory = workingMemory === undefined ? new InMemoryWorkingMemory() : workingMemory;
    this.queue =
      consolidator === null ? null : new ConsolidationQueue(engine, consolidator, onFailure);
  }

  /** From now on sessions that end owe a consolidation, and turns come into the working memory. */
  listenTo(engine: Engine): void {
    const { queue, workingMemory } = this;
    const consolidates = queue !== null && engine.config.consolidateOnClose;
    if (consolidates) engine.onEnd = [owedRecord()];
    if (workingMemory === null && !consolidates) return;
    engine.writes.add((written) => {
      if (consolidates && ends(written)) queue.wake();
      return workingMemory === null ? undefined : feedMemory(workingMemory, written);
    });
  }
}

/** Whether a write is the one that ended its session. */
function ends(written: Written): boolean {
  const { status } = written.session;
  if (written.verb === 'erase' || (status !== 'closed' && status !== 'expired')) return false;
  if (written.verb === 'create') return true;
  const { append, status: change } = written.given;
  return change !== undefined || (append !== undefined && append.timelineId === undefined);
}

function checkPart(part: object, calls: readonly string[], path: string): void {
  for (const call of calls) {
    if (typeof (part as Record<string, unknown>)[call] === 'function') continue;
    throw new SessionInputError(path, `has no function '${call}'`);
  }
}
