import assert from 'node:assert/strict';
import { isSessionError } from '@lexigram/ai-session';
import { describe, it } from 'vitest';
import { checkLaw, laws } from '../src/index.ts';
import { brokenStores, type FaultName } from './broken/faults.ts';
import { teeth } from './broken/table.ts';

/** Laws that say little, of which a broken store still keeps most: it is broken in one way only. */
const simple = [
  'append/system-prompt',
  'round-trip/key-order',
  'filters/exact-values',
  'money/tokens',
  'port-records/guards',
];

describe('each law rejects a broken store', () => {
  for (const law of laws) {
    const faults = teeth[law.id] ?? [];
    it(law.id, async () => {
      assert.ok(faults.length > 0, 'no broken store proves that this law can fail');
      for (const fault of faults) {
        const error = await rejection(law.id, fault);
        assert.ok(error !== undefined, `a store that ${fault} keeps this law`);
        const told = error instanceof assert.AssertionError || isSessionError(error);
        assert.ok(told, `a store that ${fault} is not told from one that crashes: ${error}`);
      }
    });
  }
});

describe('broken stores', () => {
  it('are named by laws that exist', () => {
    const ids = new Set(laws.map(({ id }) => id));
    assert.deepEqual(
      Object.keys(teeth).filter((id) => !ids.has(id)),
      [],
    );
  });

  it('are broken in one way', async () => {
    for (const fault of Object.keys(brokenStores) as FaultName[]) {
      const kept = await Promise.all(simple.map((id) => rejection(id, fault)));
      const count = kept.filter((error) => error === undefined).length;
      assert.ok(count >= 3, `a store that ${fault} keeps ${count} of ${simple.length} simple laws`);
    }
  });

  it('are as good as the law where nothing is broken', async () => {
    for (const { id } of laws) {
      if (!id.startsWith('persistence/')) continue;
      assert.equal(await rejection(id, 'keepsAll'), undefined, id);
    }
  });
});

/** What a law says of a broken store; undefined if it keeps the law. */
async function rejection(id: string, fault: FaultName): Promise<unknown> {
  const law = laws.find((one) => one.id === id);
  assert.ok(law !== undefined, `there is no law '${id}'`);
  return checkLaw(law, brokenStores[fault], { full: false }).then(
    () => undefined,
    (error: unknown) => error ?? new Error('rejected with nothing'),
  );
}
