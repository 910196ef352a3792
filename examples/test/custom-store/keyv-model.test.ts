import { modelRunScale, runModel } from '@lexigram/ai-session-contract/model-run';
import { expect, it } from 'vitest';
import { openInMap, openWithoutCache } from './open-keyv.ts';

it.each([
  ['over keys in memory', openInMap, 1],
  // Each read goes to the keys then, which takes its time.
  ['with next to no pages at hand', openWithoutCache, 0.4],
] as const)('the store does what the model does, %s', async (_, open, share) => {
  const scale = modelRunScale(process.env);
  const distribution = await runModel(open, { ...scale, runs: Math.ceil(scale.runs * share) });
  const idle = Object.entries(distribution.counts()).filter(([, { succeeded }]) => succeeded === 0);
  // All but the command that is to be refused, closing and opening again among them.
  expect(idle.map(([kind]) => kind)).toEqual(['invalid']);
});
