import type { ModelRunOptions } from './run-model.ts';

const seed = 20_261_123;

/**
 * How much to run: little in each test run, ten times as much in a full one. `LEX_TEST_SEED` and `LEX_TEST_PATH`
 * replay a failure; a chaos run has another seed each time.
 *
 * @throws an Error if the seed is no whole number
 */
export function modelRunScale(
  env: Readonly<Record<string, string | undefined>>,
  now: () => number = Date.now,
): ModelRunOptions {
  const scale = env['LEX_TEST_SCALE'];
  return {
    runs: scale === 'full' ? 1_000 : scale === 'chaos' ? 3_000 : 100,
    commands: 60,
    seed: seedOf(env['LEX_TEST_SEED']) ?? (scale === 'chaos' ? now() % 2 ** 31 : seed),
    path: env['LEX_TEST_PATH'],
  };
}

function seedOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const given = Number(text);
  if (!Number.isSafeInteger(given))
    throw new Error(`LEX_TEST_SEED: expected a number, got '${text}'`);
  return given;
}
