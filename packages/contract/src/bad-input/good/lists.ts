import assert from 'node:assert/strict';
import { createSessions } from '@lexigram/ai-session';
import type { GoodInputRow } from '../row.ts';
import { readAll, type UntypedSessions } from '../untyped.ts';

/** Values that would mean something to a query, were they put into one. */
const wanted: readonly (string | number | boolean | null)[] = [
  ...['%', '_', '\\', "'", '"', '*', '?', '{}', '[]', '[a-z]', '$', '.', ' ', '', '--', ';'],
  ...["' OR '1'='1", '%%', 'a%', 'a_b', 'null', 'true', '1', '0', '日本', '😀', '\u0001', 'x'],
  ...['"x"', 'X', 'x ', 'é', 'e\u0301'],
  ...[1, 0, -1, 0.1, 1e21, true, false, null],
];

const oddKeys = [
  ...['a.b', '$.a', '$."a"', "'", '"', '\\', '%', '_', '*', '[0]', '$', ' ', '1', '{a}', '日本'],
  ...["a'] OR 1=1 --", 'toString', 'hasOwnProperty', '#', '?', ':a', '@a', 'a b', 'A', 'é'],
];

async function found(
  { manager }: UntypedSessions,
  userId: string,
  metadata: object,
): Promise<readonly unknown[]> {
  const { items } = await manager.list({ userId, metadata });
  return items.map((item) => item.metadata);
}

const filters: readonly GoodInputRow[] = [
  {
    id: 'a filter finds exactly its value',
    call: async (sessions, userId) => {
      for (const value of wanted) {
        await sessions.manager.create({ userId, metadata: { value, other: 'x' } });
      }
      await sessions.manager.create({ userId, metadata: { value: ['x'], other: 'x' } });
      await sessions.manager.create({ userId, metadata: { other: 'x' } });
      for (const value of wanted) {
        assert.deepEqual(await found(sessions, userId, { value }), [{ value, other: 'x' }]);
      }
      assert.deepEqual(await found(sessions, userId, { value: 'x', other: 'y' }), []);
    },
  },
  {
    id: 'a filter looks at exactly its key',
    call: async (sessions, userId) => {
      for (const key of oddKeys) await sessions.manager.create({ userId, metadata: { [key]: 1 } });
      await sessions.manager.create({ userId, metadata: { a: { b: 1 }, list: [1] } });
      for (const key of oddKeys) {
        assert.deepEqual(await found(sessions, userId, { [key]: 1 }), [{ [key]: 1 }]);
      }
      for (const key of ['constructor', 'a.b.c', 'list[0]', 'length', 'x'.repeat(1_000), '']) {
        assert.deepEqual(await found(sessions, userId, { [key]: 1 }), []);
      }
      assert.deepEqual(await found(sessions, userId, JSON.parse('{"__proto__":1}')), []);
    },
  },
  {
    id: 'a filter of 64 keys',
    call: async (sessions, userId) => {
      const metadata = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`k${i}`, i]));
      await sessions.manager.create({ userId, metadata });
      await sessions.manager.create({ userId, metadata: { ...metadata, k63: 0 } });
      assert.deepEqual(await found(sessions, userId, metadata), [metadata]);
    },
  },
];

const tenants: GoodInputRow = {
  id: 'tenants whose names are patterns of each other',
  call: async (sessions, userId) => {
    const names = ['acme', 'acme-corp', 'acme%', 'acm_', 'ACME', 'acme ', 'acm*', '%'];
    for (const tenantId of names) {
      await sessions.manager.create({ userId, tenantId, metadata: { tenantId } });
    }
    for (const tenantId of names) {
      const own = await sessions.as({ userId, tenantId }).manager.list();
      const { items } = await sessions.manager.list({ userId, tenantId });
      for (const list of [own.items, items]) {
        assert.deepEqual(
          list.map((item) => item.tenantId),
          [tenantId],
        );
      }
    }
  },
};

const users: GoodInputRow = {
  id: 'users whose names are patterns of each other',
  call: async ({ manager }, userId) => {
    const names = ['', '%', '_', '*', '?', '-corp', ' x', "'"].map((end) => `${userId}${end}`);
    for (const name of names) await manager.create({ userId: name });
    for (const name of names) {
      const { items } = await manager.list({ userId: name });
      assert.deepEqual(
        items.map((item) => item.userId),
        [name],
      );
    }
  },
};

const pages: GoodInputRow = {
  id: 'pages of 1 and of 1,000',
  call: async ({ branches, checkpoints, manager }, userId) => {
    const { sessionId } = await manager.create({ userId });
    for (const name of ['a', 'b', 'c']) {
      await checkpoints.create(sessionId, { label: name });
      await branches.fork(sessionId, name);
    }
    type List = (page: object) => Promise<{ items: readonly unknown[]; nextCursor: string | null }>;
    const lists: readonly List[] = [
      (page) => manager.list({ userId, ...page }),
      (page) => checkpoints.list(sessionId, page),
      (page) => branches.list(sessionId, page),
    ];
    for (const list of lists) {
      const { items, nextCursor } = await list({ limit: 1_000 });
      assert.equal(nextCursor, null);
      const one: unknown[] = [];
      for (let cursor: string | undefined; ; ) {
        const page = await list({ limit: 1, cursor });
        assert.equal(page.items.length, 1);
        one.push(...page.items);
        if (page.nextCursor === null) break;
        assert.ok(page.nextCursor.length <= 256);
        cursor = page.nextCursor;
      }
      assert.deepEqual(one, items);
    }
  },
};

const longIds: GoodInputRow = {
  id: 'cursors of the longest ids fit their limit',
  call: async ({ branches, manager }, userId) => {
    const { sessionId } = await manager.create({ userId, sessionId: 'c'.repeat(128) });
    await manager.create({ userId, sessionId: 'd'.repeat(128) });
    await branches.fork(sessionId, 'one');
    for (let cursor: string | undefined, pages = 1; ; pages++) {
      const { nextCursor } = await manager.list({ userId, limit: 1, cursor });
      if (nextCursor === null) return assert.equal(pages, 3);
      cursor = nextCursor;
    }
  },
};

const ranges: GoodInputRow = {
  id: 'ranges at the ends of a history and past them',
  call: async ({ manager }, userId) => {
    const { sessionId } = await manager.create({ userId });
    const turn = { role: 'user', content: 'x' };
    await manager.addTurns(sessionId, [turn, turn, turn]);
    const seqs = async (options: object): Promise<readonly number[]> =>
      (await readAll(manager.turns(sessionId, options))).map(({ seq }) => seq);
    assert.deepEqual(await seqs({ from: 0 }), [1, 2, 3]);
    assert.deepEqual(await seqs({ from: 3, to: Number.MAX_SAFE_INTEGER }), [3]);
    assert.deepEqual(await seqs({ from: Number.MAX_SAFE_INTEGER }), []);
    assert.deepEqual(await seqs({ to: 0 }), []);
    assert.deepEqual(await seqs({ limit: 0 }), []);
    assert.deepEqual(await seqs({ limit: Number.MAX_SAFE_INTEGER, order: 'desc' }), [3, 2, 1]);
    assert.deepEqual(await seqs({ limit: 2, order: 'desc' }), [3, 2]);
    for (const [turns, count] of [
      [0, 0],
      [2, 2],
      [Number.MAX_SAFE_INTEGER, 3],
    ]) {
      const state = (await manager.getState(sessionId, { turns })) as unknown as {
        readonly turns: readonly unknown[];
      };
      assert.equal(state.turns.length, count);
    }
  },
};

const scopes: GoodInputRow = {
  id: 'as(owner): calls that need nothing, and options that are undefined',
  call: async (sessions, userId) => {
    const own = sessions.as({ userId, tenantId: undefined });
    assert.equal((await own.manager.create()).userId, userId);
    assert.equal((await own.manager.list(undefined)).items.length, 1);
    const { sessionId } = await own.manager.create({
      variables: undefined,
      operationId: undefined,
    });
    await own.manager.suspend(sessionId, undefined);
    await own.manager.resume(sessionId, {});
    await own.manager.close(sessionId, { reason: undefined, operationId: undefined });
  },
};

const configured: GoodInputRow = {
  id: 'a configuration at its limits',
  call: async ({ store }) => {
    const { config } = await createSessions(
      {
        sessionTtl: 0,
        retention: 0,
        maxTurnsPerSession: 1,
        maxBranchesPerSession: 0,
        autoCheckpointInterval: null,
        cleanupIntervalS: 0.01,
        cookieName: null,
        headerName: 'X'.repeat(128),
        name: 'n'.repeat(256),
      },
      { store },
    );
    assert.deepEqual([config.maxTurnsPerSession, config.cookieName], [1, null]);
    assert.ok(Object.isFrozen(config));
  },
};

export const goodLists: readonly GoodInputRow[] = [
  ...filters,
  tenants,
  users,
  pages,
  longIds,
  ranges,
  scopes,
  configured,
];
