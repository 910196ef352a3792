import fc from 'fast-check';
import type { Command } from './command.ts';
import { Distribution } from './distribution.ts';
import { anyCommand } from './generate.ts';
import { profiles } from './profiles.ts';
import { simplify } from './simplify.ts';
import { ModelTrial, type OpenModelStore } from './trial.ts';

export interface ModelRunOptions {
  /** How many runs, each on a store of its own. */
  readonly runs: number;
  /** The most commands of a run. */
  readonly commands: number;
  readonly seed: number;
  /** The `path` of a failure replays it. */
  readonly path?: string | undefined;
}

/**
 * Gives the same random commands to a store and to a plain model of what the design promises, which keeps full
 * copies of everything, and compares each answer and each error, and again and again all there is. The same seed
 * gives the same runs.
 *
 * @returns how often each kind of command succeeded and was refused
 * @throws an Error with the shortest commands found on which the two disagree, the seed and the path to replay it
 */
export async function runModel(
  open: OpenModelStore,
  options: ModelRunOptions,
): Promise<Distribution> {
  const { path, runs, seed } = options;
  const distribution = new Distribution();
  const property = fc.asyncProperty(
    profile,
    commandsUpTo(options.commands),
    async (n, commands) => {
      const trial = new ModelTrial(profiles[n] ?? {}, distribution);
      await trial.run(open, commands);
    },
  );
  const found = await fc.check(property, {
    numRuns: runs,
    seed,
    // What fails is made simple below, which is faster and goes further here than fast-check's own way.
    endOnFailure: true,
    ...(path === undefined ? {} : { path }),
  });
  if (found.counterexample === null) return distribution;
  const [n, commands] = found.counterexample;
  const story = await tellFailure(open, n, commands);
  const replay = JSON.stringify({ ...options, path: found.counterexamplePath });
  throw new Error(`The store and the model disagree: ${story}\nReplay: runModel(open, ${replay})`);
}

const profile = fc.nat({ max: profiles.length - 1 });

/** Long runs find what short ones cannot: none has less than half of the commands that it may have. */
function commandsUpTo(max: number): fc.Arbitrary<Command[]> {
  const minLength = Math.ceil(max / 2);
  return fc.noBias(fc.array(anyCommand, { minLength, maxLength: max, size: 'max' }));
}

/** The failure once more with as few and as plain commands as it takes, for a reader. */
async function tellFailure(
  open: OpenModelStore,
  n: number,
  commands: readonly Command[],
): Promise<string> {
  const config = profiles[n] ?? {};
  const attempt = async (tried: readonly Command[]): Promise<string | null> => {
    const trial = new ModelTrial(config, new Distribution());
    try {
      await trial.run(open, tried);
      return null;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      const steps = trial.steps.map((step, i) => `  ${i + 1}. ${step}`);
      return [problem, `with ${JSON.stringify(config)} after`, ...steps].join('\n');
    }
  };
  const simplest = await simplify(commands, async (tried) => (await attempt(tried)) !== null);
  return (await attempt(simplest)) ?? 'but not when tried again: it depends on more than commands';
}
