import { PostgresSessionStore } from '@lexigram/ai-session-stores';
import { expect, it, onTestFinished } from 'vitest';
import { changingStatements } from '../broken/changed-statements.ts';
import { startChild } from '../kit/children.ts';
import { faultsIn } from '../kit/database-faults.ts';
import { openPlace } from '../kit/open-place.ts';
import { createPool, dropSchema, temporarySchema } from '../kit/postgres-schema.ts';
import { countOf } from '../scale.ts';

it('many processes start on an empty database: one of them makes the schema, none fails', async () => {
  const script = new URL('../children/open-together.ts', import.meta.url);
  const names = Array.from({ length: countOf('starters') }, (_, i) => `p${i + 1}`);
  const children = names.map((name) => startChild(script, [name]));
  for (const child of children) expect(await child.next()).toEqual({ did: 'load' });
  for (let run = 1; run <= countOf('starts'); run++) {
    const { place, query } = await temporarySchema();
    for (const child of children) child.say({ path: place });
    const said = await Promise.all(children.map((child) => child.next()));
    expect(said, `run ${run}`).toEqual(names.map(() => ({ did: 'write' })));
    const versions = await query<{ version: number }>('SELECT version FROM {schema}.ai_schema');
    expect(versions.map(({ version }) => version)).toEqual(versions.map((_, i) => i + 1));
    const sessions = await query<{ id: string }>(
      'SELECT session_id AS id FROM {schema}.ai_sessions',
    );
    expect(sessions.map(({ id }) => id).sort()).toEqual(names.toSorted());
    expect(await faultsIn(place)).toEqual([]);
  }
});

it('the same start fails for some if nobody waits for the one who makes the schema', async () => {
  const { schema, url } = await temporarySchema();
  const pool = createPool(url, 20);
  onTestFinished(() => pool.end());
  const unlocked = changingStatements(pool, (text) =>
    text.replace('pg_advisory_xact_lock(hashtextextended($1, 0))', '$1::text'),
  );
  const starts = await Promise.allSettled(
    Array.from({ length: 20 }, () => PostgresSessionStore.open(unlocked, { schema })),
  );
  expect(starts.filter((it) => it.status === 'rejected')).not.toEqual([]);
});

it('a schema of another program, of a newer version, or of a strange name is refused', async () => {
  const { place, query, schema, url } = await temporarySchema();
  await query('CREATE SCHEMA {schema}');
  await query('CREATE TABLE {schema}.ai_turns (mine text)');
  await expect(openPlace(place)).rejects.toThrow("'ai_turns' that is not of this package");
  await query('DROP TABLE {schema}.ai_turns');
  await (await openPlace(place)).close();
  await query('INSERT INTO {schema}.ai_schema (version, at) VALUES (99, 0)');
  await expect(openPlace(place)).rejects.toMatchObject({ name: 'SessionUnsupportedError' });
  for (const strange of [
    'a";drop schema public',
    'Upper',
    '',
    'pg_catalog',
    '1a',
    'ä',
    `a${schema}'`,
  ]) {
    const opening = PostgresSessionStore.open(url, { schema: strange });
    await expect(opening, strange).rejects.toMatchObject({ name: 'SessionInputError' });
  }
});

it('a URL says the same to the store itself, and one that is none is refused without being told', async () => {
  const { place, query, schema, url } = await temporarySchema();
  const tables = async (): Promise<number> =>
    (await query('SELECT 1 FROM pg_tables WHERE schemaname = $1', schema)).length;
  for (const [source, options] of [
    [place, {}],
    [`${place}&pooler=transaction`, { schema }],
    [url, { schema }],
  ] as const) {
    await (await PostgresSessionStore.open(source, options)).close();
    expect(await tables()).toBe(12);
    await dropSchema(url, schema);
  }
  for (const [source, options, message] of [
    ['', {}, 'expected a URL'],
    ['sessions', {}, 'expected a URL'],
    ['mysql://u:s3cr3t@host/db', {}, 'expected a URL'],
    [`${place}&pooler=session`, {}, "'transaction'"],
    [place, { schema: 'other' }, 'names another one'],
    [`${place}&pooler=transaction`, { behindPooler: false }, 'there is a pooler'],
  ] as const) {
    const refused = await PostgresSessionStore.open(source, options).catch((it) => it as Error);
    expect(refused).toMatchObject({
      name: 'SessionInputError',
      message: expect.stringContaining(message),
    });
    expect(String(refused)).not.toContain('s3cr3t');
  }
  expect(await tables()).toBe(0);
});

it('a server that cannot be reached is unavailable in its time, and no password is told', async () => {
  const place = 'postgres://user:s3cr3t@127.0.0.1:1/db';
  const error = await openPlace(place).catch((reason: unknown) => reason as Error);
  expect(error).toMatchObject({ name: 'SessionStoreUnavailableError', reason: 'unreachable' });
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('s3cr3t');
});
