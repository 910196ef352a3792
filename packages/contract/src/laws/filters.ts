import assert from 'node:assert/strict';
import type { JsonObject, Sessions } from '@lexigram/ai-session';
import type { Law } from '../law.ts';
import { refused } from '../refusals.ts';

type Value = string | number | boolean | null;

/** Makes a session for each piece of metadata; answers which of them a filter finds. */
async function among(
  { manager }: Sessions,
  metadata: readonly JsonObject[],
): Promise<(filter: Readonly<Record<string, Value>>) => Promise<readonly number[]>> {
  const made: string[] = [];
  for (const given of metadata) {
    made.push((await manager.create({ userId: 'u', metadata: given })).sessionId);
  }
  return async (filter) => {
    const { items } = await manager.list({ metadata: filter });
    return items.map(({ sessionId }) => made.indexOf(sessionId)).toSorted((a, b) => a - b);
  };
}

const keys = [
  'plain',
  '%',
  '_',
  "'",
  '"',
  '\\',
  '$',
  '$.a',
  'a.b',
  'a',
  '[0]',
  '*',
  '{}',
  '?',
  ':k',
  '$1',
  '--',
  "') OR 1=1 --",
  'toString',
  'hasOwnProperty',
  'é',
  'e\u0301',
  '👍',
  ' ',
  'A',
  '0',
];

const texts = [
  '',
  ' ',
  'x',
  'X',
  '%',
  '_',
  'x%',
  "'",
  '"',
  '\\',
  '*',
  'null',
  'true',
  '1',
  'é',
  'é',
];

/** Filters of lists: an unknown one is refused, a hostile one is a value like any other. */
export const filterLaws: readonly Law[] = [
  {
    id: 'filters/exact-values',
    promise:
      'A filter by metadata finds exactly this value of this type: 1 is not "1", true not 1, null not missing.',
    async check(bench) {
      const values: readonly (Value | JsonObject | readonly Value[])[] = [
        ...[1, 0, -1, 1.5, 0.1, 1e21, '1', 'true', 'null', '', true, false, null],
        ...[{ k: 1 }, [1], [], {}],
      ];
      const find = await among(await bench.open(), [
        ...values.map((k) => ({ k }) as JsonObject),
        {},
        { other: 1 },
      ]);
      for (const [i, value] of values.entries()) {
        if (typeof value === 'object' && value !== null) continue;
        assert.deepEqual(await find({ k: value as Value }), [i], JSON.stringify(value));
      }
      assert.deepEqual(await find({ k: 2 }), []);
    },
  },
  {
    id: 'filters/hostile-keys',
    promise: 'A key of a filter is taken literally, whatever it would mean to an engine.',
    async check(bench) {
      const nested: JsonObject = { a: { b: 1, a: 1 }, $: { a: 1 } };
      const find = await among(await bench.open(), [
        ...keys.map((key) => ({ [key]: 'yes' })),
        nested,
      ]);
      for (const [i, key] of keys.entries()) {
        assert.deepEqual(await find({ [key]: 'yes' }), [i], key);
        assert.deepEqual(await find({ [key]: 1 }), [], key);
      }
      for (const key of ['__proto__', 'constructor', 'prototype', 'valueOf']) {
        const filter = JSON.parse(`{${JSON.stringify(key)}:null}`) as Record<string, null>;
        assert.deepEqual(await find(filter), [], key);
      }
    },
  },
  {
    id: 'filters/hostile-values',
    promise: 'A value of a filter is taken literally: no wildcard, no case, no look-alike.',
    async check(bench) {
      const distinct = [...new Set(texts)];
      const find = await among(
        await bench.open(),
        distinct.map((k) => ({ k })),
      );
      for (const [i, text] of distinct.entries()) {
        assert.deepEqual(await find({ k: text }), [i], JSON.stringify(text));
      }
    },
  },
  {
    id: 'filters/together',
    promise: 'All conditions of a filter must hold, and they see the metadata as it is now.',
    async check(bench) {
      const sessions = await bench.open({ maxSessionsPerUser: 100 });
      const { manager } = sessions;
      const find = await among(sessions, [{ a: 1, b: 2 }, { a: 1 }, { b: 2 }, {}]);
      assert.deepEqual(await find({ a: 1 }), [0, 1]);
      assert.deepEqual(await find({ a: 1, b: 2 }), [0]);
      assert.deepEqual(await find({ a: 1, b: 3 }), []);
      const { items } = await manager.list({ metadata: { a: 1, b: 2 } });
      const { sessionId } = items[0] as { sessionId: string };
      await manager.setMetadata(sessionId, { b: 3 }, { unset: ['a'] });
      await manager.close(sessionId);
      assert.deepEqual(await find({ a: 1 }), [1]);
      const count = async (query: Parameters<typeof manager.list>[0]): Promise<number> =>
        (await manager.list(query)).items.length;
      await manager.create({ userId: 'u', tenantId: 't', metadata: { b: 3 } });
      await manager.create({ userId: 'v', metadata: { b: 3 } });
      assert.equal(await count({ metadata: { b: 3 } }), 3);
      assert.equal(await count({ metadata: { b: 3 }, status: 'closed' }), 1);
      assert.equal(await count({ metadata: { b: 3 }, userId: 'u' }), 2);
      assert.equal(await count({ metadata: { b: 3 }, userId: 'u', tenantId: 't' }), 1);
      assert.equal(await count({ userId: 'u', tenantId: null }), 4);
      assert.equal(await count({ userId: 'u', status: 'suspended' }), 0);
    },
  },
  {
    id: 'filters/unknown',
    promise: 'A filter that a list does not know is refused, never left out.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, checkpoints, manager } = sessions;
      const { sessionId } = await manager.create({ userId: 'u' });
      const unknown = { owner: 'u', user_id: 'u', sort: 'x' };
      for (const [key, value] of Object.entries(unknown)) {
        const query = { [key]: value };
        await refused(manager.list(query), 'input');
        await refused(branches.list(sessionId, query), 'input');
        await refused(checkpoints.list(sessionId, query), 'input');
      }
      await refused(manager.list({ status: 'open' as never }), 'input');
      await refused(manager.list({ metadata: { k: { $ne: 1 } as never } }), 'input');
    },
  },
];
