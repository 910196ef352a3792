import { modelRunScale, runModel } from '@lexigram/ai-session-contract/model-run';
import { expect, it } from 'vitest';
import { openInMap, openWithoutCache } from './open-keyv.ts';

it.each([
  ['over keys in memory', openInMap],
  ['with next to no pages at hand', openWithoutCache],
])('the store does what the model does, %s', async (_, open) => {
  const distribution = await runModel(open, modelRunScale(process.env));
  const idle = Object.entries(distribution.counts()).filter(([, { succeeded }]) => succeeded === 0);
  // All but the command that is to be refused, closing and opening again among them.
  expect(idle.map(([kind]) => kind)).toEqual(['invalid']);
});
