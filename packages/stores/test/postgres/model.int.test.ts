import { modelRunScale, runModel } from '@lexigram/ai-session-contract/model-run';
import { expect, it } from 'vitest';
import { openPostgres } from '../kit/open-postgres.ts';
import { countOf } from '../scale.ts';

const timeout = 20 * 60_000;

it('Postgres does what the model does', { timeout }, async ({ annotate }) => {
  const runs = countOf('postgresModelRuns');
  const distribution = await runModel(openPostgres, { ...modelRunScale(process.env), runs });
  await annotate(String(distribution));
  const idle = Object.entries(distribution.counts()).filter(([, { succeeded }]) => succeeded === 0);
  // All but the command that is to be refused, closing and opening again among them.
  expect(idle.map(([kind]) => kind)).toEqual(['invalid']);
});
