import type { TestRunner } from '../bind-laws.ts';
import type { OpenStore } from '../law.ts';
import { badInput, goodInput } from './all-rows.ts';
import { InputBench } from './input-bench.ts';

/** What is needed of a test runner: Vitest's `describe`, `it` and `afterAll`, or node:test's `after`. */
export interface InputTestRunner extends TestRunner {
  afterAll(run: () => Promise<void>): unknown;
}

/** Makes a test of each row, grouped by the call. */
export function bindBadInput(runner: InputTestRunner, open: OpenStore): void {
  const bench = new InputBench(open);
  for (const [group, rows] of Map.groupBy(badInput, ({ id }) => callOf(id))) {
    runner.describe(group, () => {
      for (const row of rows) runner.it(row.id, () => bench.refuses(row));
    });
  }
  runner.describe('passes', () => {
    for (const row of goodInput) runner.it(row.id, () => bench.passes(row));
  });
  runner.afterAll(() => bench.dispose());
}

/** `manager.addTurn` of `manager.addTurn turn.role: null`. */
function callOf(id: string): string {
  return /^[\w.()]+/.exec(id)?.[0] ?? id;
}

export interface InputResult {
  readonly id: string;
  /** Why the row is broken; undefined if it holds. */
  readonly error?: unknown;
}

/** Runs every row on stores that `open` opens, one row after another. */
export async function runBadInput(open: OpenStore): Promise<readonly InputResult[]> {
  const bench = new InputBench(open);
  const results: InputResult[] = [];
  const note = async (id: string, run: Promise<void>): Promise<void> => {
    results.push(
      await run.then(
        () => ({ id }),
        (error: unknown) => ({ id, error }),
      ),
    );
  };
  try {
    for (const row of badInput) await note(row.id, bench.refuses(row));
    for (const row of goodInput) await note(row.id, bench.passes(row));
  } finally {
    await bench.dispose();
  }
  return results;
}
