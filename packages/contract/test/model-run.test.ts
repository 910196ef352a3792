import { describe, expect, it } from 'vitest';
import {
  type CommandKind,
  modelRunScale,
  type OpenModelStore,
  runModel,
} from '../src/model-run/index.ts';
import { brokenStores, type FaultName } from './broken/faults.ts';
import { openMemory } from './memory.ts';

const scale = modelRunScale(process.env);

describe('the in-memory store', () => {
  it('does what the model does', async ({ annotate }) => {
    const distribution = await runModel(openMemory, scale);
    await annotate(String(distribution));

    const kinds = Object.entries(distribution.counts());
    const never = (kind: string, count: number, only: readonly CommandKind[]) =>
      count === 0 && !only.some((one) => one === kind);
    expect(
      kinds.filter(([kind, { succeeded }]) => never(kind, succeeded, ['invalid', 'reopen'])),
    ).toEqual([]);
    expect(
      kinds.filter(([kind, { refused }]) =>
        never(kind, Object.keys(refused).length, ['advance', 'list', 'reopen']),
      ),
    ).toEqual([]);
  });
});

/** What is broken in a store that the run must tell from a good one, in as few runs as `npm test` has. */
const faults: readonly FaultName[] = [
  // Moves: a redo that outlives a move or falls with a turn, turns past the end, an undo of nothing.
  'redoesAnything',
  'turnsClearRedo',
  'readsPastTheEnd',
  'undoDoesNothing',
  'findsTheOldest',
  'editsInPlace',
  'movesTwice',
  // Branches that come home, siblings, select.
  'losesOrigins',
  'mergesNothing',
  'forgetsWhatMergesTook',
  'startsNowhere',
  'selectsNothing',
  // Variables: a version forgotten, one for all, merged deep.
  'hasNoVersions',
  'hasOneVersion',
  'patchesBelongToTurns',
  'mergesValues',
  // Caps: of turns, of all that is written, of sessions, of branches, of checkpoints.
  'hasNoTurnCap',
  'hasNoWrittenCap',
  'hasNoOwnerCap',
  'hasNoCountCap',
  'dropsTheOldest',
  'takesWhatFits',
  // Reports: what is deleted forgotten, or counted twice.
  'forgetsSpending',
  'reportsErasedTwice',
  'reportsNoCachedTokens',
  // Owners.
  'ownsNothing',
  'forgetsTenants',
  'comparesWithoutCase',
  // Repeats and operations.
  'addsRepeats',
  'patchesAgain',
  'forgetsOperations',
  'answersAsOfNow',
  'remembersRefusals',
  // Checkpoints, branches and deletes.
  'checkpointsFollow',
  'movesLabels',
  'branchesWithoutSums',
  'erasesEverything',
  'forgetsKeptVariables',
  // Time, lists, order and texts.
  'writesToExpired',
  'neverProlongs',
  'pagesByTimeOnly',
  'swapsTurns',
  'sortsKeys',
];

describe('a broken store is found', () => {
  const few = modelRunScale({});

  it.each(faults)('that %s', async (fault) => {
    await expect(runModel(brokenStores[fault], few)).rejects.toThrow('disagree');
  });
});

describe('a failure', () => {
  const few = modelRunScale({});
  const failure = async (open: OpenModelStore, path?: string): Promise<string> => {
    try {
      await runModel(open, { ...few, path });
    } catch (error) {
      return String(error);
    }
    throw new Error('the run did not fail');
  };

  it('is told in the fewest and plainest commands', async () => {
    const told = await failure(brokenStores.undoDoesNothing);
    const commands = commandsOf(told);
    expect(commands.at(0)).toContain('create');
    expect(commands.at(-2)).toMatch(/ (rewind|restore|edit|regenerate) /);
    expect(commands.at(-1)).toContain('undo');
    expect(commands.length).toBeLessThanOrEqual(4);
  });

  it('is replayed by its path', async () => {
    const told = await failure(brokenStores.redoesAnything);
    const path = /"path":"([^"]+)"/.exec(told)?.[1];
    expect(path).toBeDefined();
    const again = await failure(brokenStores.redoesAnything, path);
    expect(commandsOf(again)).toEqual(commandsOf(told));
  });
});

/** The steps of a failure, in which no id of the store stands. */
function commandsOf(told: string): readonly string[] {
  return told.split('\n').filter((line) => /^ +\d+\. /.test(line));
}

describe('the scale', () => {
  it('is small and the same each time unless asked for', () => {
    expect(modelRunScale({})).toEqual(modelRunScale({ LEX_TEST_SEED: '' }));
    expect(modelRunScale({})).toMatchObject({ runs: 100, commands: 60, path: undefined });
    expect(modelRunScale({ LEX_TEST_SCALE: 'full' })).toMatchObject({ runs: 1_000 });
  });

  it('takes a seed from the environment; chaos has another each time', () => {
    const chaos = { LEX_TEST_SCALE: 'chaos' };
    expect(modelRunScale({ ...chaos, LEX_TEST_SEED: '7', LEX_TEST_PATH: '3' })).toMatchObject({
      seed: 7,
      path: '3',
    });
    expect(modelRunScale(chaos, () => 5).seed).not.toBe(modelRunScale(chaos, () => 6).seed);
    expect(() => modelRunScale({ LEX_TEST_SEED: 'x' })).toThrow('LEX_TEST_SEED');
  });
});
