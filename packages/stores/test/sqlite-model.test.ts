import { modelRunScale, runModel } from '@lexigram/ai-session-contract/model-run';
import { expect, it } from 'vitest';
import { openSqlite } from './kit/open-sqlite.ts';

it('SQLite does what the model does', async () => {
  const scale = modelRunScale(process.env);
  const distribution = await runModel(openSqlite, scale);
  expect(distribution).toBeDefined();
});
