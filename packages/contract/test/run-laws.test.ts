import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { bindLaws, type Deviation, laws, runLaws } from '../src/index.ts';
import { brokenStores } from './broken/faults.ts';
import { openMemory } from './memory.ts';

const only = ['money/tokens', 'persistence'];

function deviation(law: string, holds: Deviation['holds'] = async () => undefined): Deviation {
  return { law, reason: 'because', holds };
}

async function outcomes(deviations: readonly Deviation[]): Promise<Record<string, string>> {
  const results = await runLaws(openMemory, { only, deviations });
  return Object.fromEntries(results.map(({ law, outcome }) => [law.id, outcome]));
}

describe('runLaws', () => {
  it('tells which laws a store keeps and which it breaks, and why', async () => {
    const results = await runLaws(brokenStores.countsNoTokens, {
      only: ['money/tokens', 'money/exact', 'undo'],
    });
    const broken = results.filter(({ outcome }) => outcome === 'broken');
    assert.deepEqual(
      broken.map(({ law }) => law.id),
      ['money/tokens'],
    );
    assert.ok(broken[0]?.error instanceof assert.AssertionError);
  });

  it('takes a deviation that is declared, if what holds instead does hold', async () => {
    const [there, on] = ['persistence/all-there', 'persistence/goes-on'];
    const fails = deviation(on, async () => assert.fail('this does not hold either'));
    assert.deepEqual(await outcomes([deviation(there), fails]), {
      'money/tokens': 'kept',
      [there]: 'deviates',
      [on]: 'broken',
    });
  });

  it('refuses a deviation from a law that the store keeps', async () => {
    const { 'money/tokens': outcome } = await outcomes([deviation('money/tokens')]);
    assert.equal(outcome, 'broken');
  });

  it('refuses names that no law has', async () => {
    await assert.rejects(runLaws(openMemory, { deviations: [deviation('money/gone')] }), {
      message: "A deviation names no law: 'money/gone'",
    });
    await assert.rejects(runLaws(openMemory, { only: ['mone'] }), {
      message: "'only' names no law: 'mone'",
    });
  });
});

describe('bindLaws', () => {
  it('makes a test of each law, and one for the names of deviations', async () => {
    const tests = new Map<string, () => Promise<void>>();
    const runner = {
      describe: (_: string, define: () => void) => define(),
      it: (name: string, run: () => Promise<void>) => tests.set(name, run),
    };
    bindLaws(runner, openMemory, { deviations: [deviation('money/gone')] });
    assert.equal(tests.size, laws.length + 1);
    await assert.rejects(async () => tests.get('each deviation names a law')?.());
  });
});

describe('laws', () => {
  it('have ids of one form, each once, and say what they prove in one sentence', () => {
    const ids = laws.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const { id, promise } of laws) {
      assert.match(id, /^[a-z-]+\/[a-z-]+$/);
      assert.match(promise, /^\S.*\.$/, id);
    }
  });
});
