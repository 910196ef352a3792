import assert from 'node:assert/strict';
import type { Law, OpenStore } from './law.ts';
import { checkLaw, chosenLaws, type LawOptions, unknownNames } from './run-laws.ts';

/** What is needed of a test runner: Vitest's `describe` and `it`, or those of node:test. */
export interface TestRunner {
  describe(name: string, define: () => void): unknown;
  it(name: string, run: () => Promise<void>): unknown;
}

/** Makes a test of each law, grouped by promise, and one that fails if a deviation names no law. */
export function bindLaws(runner: TestRunner, open: OpenStore, options: LawOptions = {}): void {
  const groups = Map.groupBy(chosenLaws(options), ({ id }: Law) => id.slice(0, id.indexOf('/')));
  for (const [group, members] of groups) {
    runner.describe(group, () => {
      for (const law of members) {
        const deviates = options.deviations?.find((deviation) => deviation.law === law.id);
        const name = deviates === undefined ? law.promise : `deviates: ${deviates.reason}`;
        runner.it(`${law.id}: ${name}`, () => checkLaw(law, open, options));
      }
    });
  }
  runner.it('each deviation names a law', async () => {
    assert.deepEqual(unknownNames(options), []);
  });
}
