import type {
  ConsolidationResult,
  ConsolidationRun,
  MemoryConsolidator,
} from '../../src/memory/memory-consolidator.ts';
import type { MemoryEntry } from '../../src/memory/memory-entry.ts';

/** One run that a scripted consolidator was asked for. */
export interface ScriptedRun {
  readonly entries: readonly MemoryEntry[];
  readonly run: ConsolidationRun;
}

/** A consolidator that does as it is told, and notes each run and whether two were at one session at once. */
export function scripted(
  script: (
    entries: readonly MemoryEntry[],
    run: ConsolidationRun,
  ) => ConsolidationResult | undefined | Promise<ConsolidationResult | undefined> = () => ({}),
  times: Omit<MemoryConsolidator, 'consolidate'> = {},
): {
  readonly consolidator: MemoryConsolidator;
  readonly runs: ScriptedRun[];
  readonly overlaps: string[];
} {
  const runs: ScriptedRun[] = [];
  const overlaps: string[] = [];
  const busy = new Set<string>();
  const consolidator: MemoryConsolidator = {
    ...times,
    async consolidate(given, run) {
      const { sessionId } = run.session;
      if (busy.has(sessionId)) overlaps.push(sessionId);
      busy.add(sessionId);
      try {
        const entries: MemoryEntry[] = [];
        for await (const entry of given) entries.push(entry);
        runs.push({ entries, run });
        return await script(entries, run);
      } finally {
        busy.delete(sessionId);
      }
    },
  };
  return { consolidator, runs, overlaps };
}

/** Lets what was set off in the background go on until a condition holds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}
