import { modelRunScale, runModel } from '@lexigram/ai-session-contract/model-run';
import { expect, it } from 'vitest';
import { redis, redisCluster } from '../kit/stores-on-trial.ts';
import { countOf } from '../scale.ts';

const timeout = 20 * 60_000;

it.for([redis, redisCluster])(
  '$name does what the model does',
  { timeout },
  async (kind, context) => {
    const runs = countOf(kind === redis ? 'redisModelRuns' : 'clusterModelRuns');
    const distribution = await runModel(kind.open, { ...modelRunScale(process.env), runs });
    await context.annotate(String(distribution));
    const idle = Object.entries(distribution.counts()).filter(
      ([, { succeeded }]) => succeeded === 0,
    );
    // All but the command that is to be refused, closing and opening again among them.
    expect(idle.map(([kind]) => kind)).toEqual(['invalid']);
  },
);
