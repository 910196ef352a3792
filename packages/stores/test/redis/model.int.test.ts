import { modelRunScale, runModel } from '@lexigram/ai-session-contract/model-run';
import { expect, it } from 'vitest';
import { openRedis, openRedisCluster } from '../kit/open-redis.ts';

it.for([
  ['Redis', openRedis],
  ['a Redis Cluster', openRedisCluster],
] as const)('%s does what the model does', async ([, open], { annotate }) => {
  const distribution = await runModel(open, modelRunScale(process.env));
  await annotate(String(distribution));
  const idle = Object.entries(distribution.counts()).filter(([, { succeeded }]) => succeeded === 0);
  // All but the command that is to be refused, closing and opening again among them.
  expect(idle.map(([kind]) => kind)).toEqual(['invalid']);
});
