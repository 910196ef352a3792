import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  createSessions,
  isSessionError,
  SessionCorruptDataError,
  type Sessions,
} from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFile, temporaryFolder } from './kit/folder.ts';

/** A family: 'one' has turns, variables, moves and checkpoints; a branch starts in its middle. */
async function makeFamily(path: string): Promise<void> {
  const store = await SqliteSessionStore.open(path);
  const { branches, checkpoints, manager } = await createSessions({}, { store });
  await manager.create({ userId: 'u', sessionId: 'one', metadata: { a: 1 }, variables: { n: 0 } });
  for (let i = 1; i <= 12; i++) {
    const turn = {
      turnId: `t${i}`,
      role: 'user',
      content: `turn ${i} ${'x'.repeat(900)}`,
    } as const;
    await manager.addTurn('one', turn, { variables: { n: i } });
  }
  await checkpoints.create('one', { label: 'here' });
  const { sessionId } = await branches.fork('one', 'b', { atSeq: 6 });
  await manager.addTurn(sessionId, { role: 'user', content: 'on the branch' });
  // So many segments that a chunk of lineage is sealed.
  for (let seq = 12; seq < 80; seq++) {
    await manager.rewind('one', { toSeq: seq });
    await manager.addTurn('one', { role: 'user', content: `and on ${seq}` });
  }
  await store.close();
}

let good: string;
beforeAll(async () => {
  good = join(mkdtempSync(join(tmpdir(), 'lexigram-stores-')), 'good.db');
  await makeFamily(good);
});
afterAll(() => rmSync(dirname(good), { recursive: true }));

/** Everything that can be read. */
async function readAll({ branches, checkpoints, manager, store }: Sessions): Promise<unknown> {
  const read: unknown[] = [];
  for (const groupBy of ['user', 'tool'] as const) {
    read.push(await store.report({ groupBy, limit: 10 }));
  }
  const { items } = await manager.list({ metadata: {} });
  for (const { sessionId } of items) {
    read.push(
      await manager.getState(sessionId, { turns: 'all' }),
      await checkpoints.list(sessionId),
      await branches.list(sessionId),
    );
  }
  return read;
}

async function open(path: string): Promise<Sessions> {
  const store = await SqliteSessionStore.open(path);
  onTestFinished(() => store.close());
  return createSessions({}, { store });
}

const one = "(SELECT key FROM ai_sessions WHERE session_id = 'one')";
const branch = "(SELECT key FROM ai_sessions WHERE parent_session_id = 'one')";

/** What is done to a row, and the place that the error must name. */
const damages: readonly [what: string, sql: string, place: string][] = [
  ...['{', '', 'null', '[]', '7', '"text"', '{}'].map((body): [string, string, string] => [
    `the body of a turn is ${JSON.stringify(body)}`,
    `UPDATE ai_turns SET body = '${body}' WHERE session = ${one} AND timeline = 1 AND seq = 3`,
    "timeline 'one.1' seq 3",
  ]),
  [
    'a turn in the middle is missing',
    `DELETE FROM ai_turns WHERE session = ${one} AND timeline = 1 AND seq = 2`,
    'seq 2',
  ],
  [
    'the turn at a base has another id',
    `UPDATE ai_turns SET turn_id = CASE turn_id WHEN 't6' THEN 'x' ELSE turn_id END
     WHERE session = ${one}`,
    'seq 6',
  ],
  ...['[', '', '{}', 'null', '[[],[1,0,1,0]]', '[["one"],[1,0]]', '[["one"],["a",0,1,0]]'].map(
    (lineage): [string, string, string] => [
      `the lineage of a branch is ${JSON.stringify(lineage)}`,
      `UPDATE ai_timelines SET lineage = '${lineage}' WHERE session = ${branch}`,
      'timeline',
    ],
  ),
  [
    'the lineage names a timeline that is not there',
    `UPDATE ai_timelines SET lineage = '[["gone"],[1,0,1,0]]' WHERE session = ${branch}`,
    'timeline',
  ],
  [
    'the lineage names a wrong timeline',
    `UPDATE ai_timelines SET lineage = '[["one"],[1,0,2,0]]' WHERE session = ${branch}`,
    'seq 1',
  ],
  ...['[', '{}', 'null', '["one.1"]'].map((base): [string, string, string] => [
    `the base of a branch is ${base}`,
    `UPDATE ai_timelines SET base = '${base}' WHERE session = ${branch}`,
    'timeline',
  ]),
  [
    'the turn id of a base no longer fits',
    `UPDATE ai_timelines SET base = replace(base, '"t6"', '"t5"') WHERE session = ${branch}`,
    'seq 6',
  ],
  [
    'the timeline of a branch is missing',
    `DELETE FROM ai_timelines WHERE session = ${branch}`,
    'timeline',
  ],
  [
    'the chunks of a lineage are missing',
    `UPDATE ai_timelines SET chunks = NULL WHERE session = ${one}`,
    'lineage',
  ],
  [
    'the chunks of a lineage are no JSON',
    `UPDATE ai_timelines SET chunks = '[' WHERE session = ${one} AND chunks IS NOT NULL`,
    'timeline',
  ],
  ...['[', 'null', '7'].map((value): [string, string, string] => [
    `the metadata is ${value}`,
    `UPDATE ai_records SET value = '${value}' WHERE kind = 'metadata' AND session = ${one}`,
    'one',
  ]),
  ...['[', 'null', '7'].map((value): [string, string, string] => [
    `the variables are ${value}`,
    `UPDATE ai_variables SET value = '${value}' WHERE session = ${branch}`,
    'variables',
  ]),
  ['the variables are missing', `DELETE FROM ai_variables WHERE session = ${branch}`, 'variables'],
  [
    'there is no whole copy of the variables',
    `UPDATE ai_variables SET whole = 0 WHERE session = ${branch}`,
    'variables',
  ],
  ...['[', 'null', '{}', '{"point":null,"automatic":false,"metadata":null}'].map(
    (value): [string, string, string] => [
      `a checkpoint is ${value}`,
      `UPDATE ai_records SET value = '${value}' WHERE kind = 'checkpoint' AND label = 'here'`,
      'checkpoint',
    ],
  ),
];

describe('a damaged row is an error with its place, never skipped', () => {
  it.each(damages)('%s', async (_, sql, place) => {
    const path = temporaryFile();
    copyFileSync(good, path);
    expect(await readAll(await open(path))).toHaveLength(8);
    const db = new DatabaseSync(path);
    const { changes } = db.prepare(sql).run();
    db.close();
    expect(changes).toBeGreaterThan(0);

    const sessions = await open(path);
    const error = await readAll(sessions).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(SessionCorruptDataError);
    expect((error as SessionCorruptDataError).place).toContain(place);
    expect((error as Error).message).not.toContain('xxxx');
  });
});

it('any damaged page is found, or nothing that is read depends on it', async () => {
  const folder = temporaryFolder();
  const expected = JSON.stringify(await readAll(await open(good)));
  const size = 4_096;
  const pages = statSync(good).size / size;
  const found: number[] = [];
  for (let page = 0; page < pages; page++) {
    const path = join(folder, `page-${page}.db`);
    copyFileSync(good, path);
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(size, 0xa5), 0, size, page * size);
    closeSync(file);
    try {
      const store = await SqliteSessionStore.open(path);
      onTestFinished(() => store.close());
      const sessions = await createSessions({}, { store });
      expect(JSON.stringify(await readAll(sessions)), `page ${page}`).toBe(expected);
      // Writing, too, either works or tells.
      await sessions.manager.addTurn('one', { role: 'user', content: 'on' });
    } catch (error) {
      if (!isSessionError(error)) throw error;
      found.push(page);
    }
  }
  expect(pages).toBeGreaterThan(20);
  expect(found.length).toBeGreaterThan(pages / 2);
});
