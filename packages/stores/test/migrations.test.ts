import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { createSessions } from '@lexigram/ai-session';
import { expect, it } from 'vitest';
import { SqliteSessionStore } from '../src/sqlite/index.ts';
import { faultsIn } from './kit/database-faults.ts';
import { query } from './kit/database-rows.ts';
import { temporaryFile } from './kit/folder.ts';

const fixture = (name: string): string =>
  readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8');

it('a database of schema version 1 keeps its checkpoints, and goes on counting them', async () => {
  const path = temporaryFile();
  const db = new DatabaseSync(path);
  db.exec(fixture('schema-1.sql'));
  db.close();

  const store = await SqliteSessionStore.open(path);
  const config = { autoCheckpointInterval: 2, maxCheckpointsPerSession: 4 };
  const { analytics, checkpoints, events, manager } = await createSessions(config, { store });
  const turns = query(path, 'SELECT 1 FROM ai_turns').length;
  expect((await analytics.report({ groupBy: 'day' })).total.turns).toBe(turns);
  const before = JSON.parse(fixture('schema-1-checkpoints.json')) as { checkpointId: string }[];
  expect((await checkpoints.list('first')).items).toEqual(before);

  await manager.addTurns('first', [
    { role: 'user', content: 'seven' },
    { role: 'user', content: 'eight' },
  ]);
  const after = (await checkpoints.list('first')).items.map(({ checkpointId }) => checkpointId);
  expect(after).toEqual(['first.c3', 'first.c5', 'first.c6', 'first.c7']);
  const subscription = events.subscribe({ sessionId: 'first' });
  const all = events.subscribe();
  await Promise.all([subscription.start, all.start]);
  await checkpoints.restore('first.c5');
  for (const each of [subscription, all]) {
    expect((await each.next()).value).toMatchObject({ type: 'move', move: 'restore' });
    await each.return();
  }
  const { turnCount, variables } = await manager.getState('first');
  expect({ turnCount, variables }).toEqual({ turnCount: 8, variables: { n: 'alone' } });
  await store.close();
  expect(await faultsIn(path)).toEqual([]);
});
